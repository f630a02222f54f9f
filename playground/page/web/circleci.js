// Beside Slack: what the pretend CircleCI holds, the courses one can try, its clock, and what it was asked.
import { html, useState } from "./vendor/preact-htm.js";
import { clock } from "./mrkdwn.js";

const SPEEDS = [[0, "stands still"], [1, "real time"], [10, "10 × faster"], [60, "60 × faster"], [300, "300 × faster"]];
const MARKS = {
  success: "✅", failed: "❌", failing: "❌", error: "⚠️", running: "🔵", on_hold: "⏸️", canceled: "🚫", unauthorized: "⚠️",
  not_run: "➖", blocked: "⏳", queued: "⏳", timedout: "❌", infrastructure_fail: "⚠️",
};

/** Return the panel; `propose(text)` puts a command into the field. */
export function CircleCI({ state, act, propose }) {
  const { circleci } = state;
  return html`<section class="circleci" aria-label="The pretend CircleCI">
    <header class="pane-header"><h2>Pretend CircleCI</h2></header>
    <div class="panel" tabindex="0" role="group" aria-label="Time, courses, pipelines and requests">
      <${Time} circleci=${circleci} act=${act} />
      <${Courses} circleci=${circleci} propose=${propose} />
      <${Pipelines} pipelines=${circleci.pipelines} />
      <${Requests} title="Asked of CircleCI" items=${circleci.requests.map((one) => [`${one.method} ${one.path}`, one.status, one.status < 400])} />
      <${Requests} title="Asked of Slack" items=${circleci.calls.map((one) => [one.method, one.answer, one.answer === "ok"])} />
    </div>
  </section>`;
}

function Time({ circleci, act }) {
  const step = (seconds) => act({ do: "time", advance: seconds });
  return html`<div class="card"><h3>Time</h3>
    <p class="clock">${clock(new Date(circleci.now), true)}</p>
    <label>Speed <select value=${circleci.speed} onChange=${(event) => act({ do: "time", speed: event.currentTarget.value })}>
      ${speeds(circleci.speed).map(([speed, label]) => html`<option value=${speed} selected=${speed === circleci.speed}>${label}</option>`)}</select></label>
    <div class="row"><button type="button" class="button" onClick=${() => step(10)}>10 s on</button>
      <button type="button" class="button" onClick=${() => step(60)}>1 min on</button></div></div>`;
}

/** Return the speeds to choose from, among them one that was set elsewhere. */
function speeds(current) {
  return SPEEDS.some(([speed]) => speed === current) ? SPEEDS : [...SPEEDS, [current, `${current} × faster`]];
}

function Courses({ circleci, propose }) {
  const [course, setCourse] = useState("failing-tests");
  const [project, setProject] = useState(circleci.projects[0].name);
  const { courses } = circleci.projects.find((one) => one.name === project);
  const played = courses.includes(course) ? course : courses[0];
  const say = () => propose(`/ci deploy ${project} try/${played}`);
  return html`<div class="card"><h3>Try a course</h3>
    <label>Course <select value=${course} onChange=${(event) => setCourse(event.currentTarget.value)}>
      ${courses.map((name) => html`<option value=${name} selected=${name === played}>${circleci.courses[name]}</option>`)}</select></label>
    <label>Project <select value=${project} onChange=${(event) => setProject(event.currentTarget.value)}>
      ${circleci.projects.map((one) => html`<option value=${one.name} selected=${one.name === project}>${one.name}</option>`)}</select></label>
    <div class="row"><button type="button" class="button primary" onClick=${say}>Write the command</button></div></div>`;
}

function Pipelines({ pipelines }) {
  return html`<div class="card"><h3>Pipelines</h3>
    ${pipelines.length === 0 && html`<p class="nothing">None yet.</p>`}
    ${pipelines.map((one) => html`<details key=${one.number} open=${one === pipelines[0]} id=${`pipeline-${one.number}`}>
      <summary>#${one.number} ${one.project} · ${one.ref}</summary>
      ${one.workflows.length === 0 && html`<p class="nothing">No workflow (${one.state}).</p>`}
      ${one.workflows.map((workflow) => html`<div class="workflow" key=${workflow.id}><${Status} of=${workflow} />
        <ul>${workflow.jobs.map((job) => html`<li key=${job.name}><${Status} of=${job} /></li>`)}</ul></div>`)}
    </details>`)}</div>`;
}

function Status({ of }) {
  return html`<span class="status">${MARKS[of.status] ?? "❔"} ${of.name} <small>${of.status.replaceAll("_", " ")}</small></span>`;
}

function Requests({ title, items }) {
  return html`<details class="card requests"><summary><h3>${title}</h3></summary>
    <ol>${items.map(([what, answer, good]) => html`<li class=${good ? "" : "bad"}><code>${what}</code> <b>${answer}</b></li>`)}</ol></details>`;
}
