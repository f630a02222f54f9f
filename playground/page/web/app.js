// The playground's page: one state streams in, this draws it, acts go back.
import { html, render, useEffect, useState } from "./vendor/preact-htm.js";
import { CircleCI } from "./circleci.js";
import { Composer } from "./composer.js";
import { Messages } from "./messages.js";
import { Modal } from "./modal.js";
import { act as actAs, follow } from "./net.js";

function App() {
  const [who, setWho] = useState("ada");
  const [state, setState] = useState(null);
  const [lost, setLost] = useState(false);
  const [channelId, setChannelId] = useState("");
  const [threadTs, setThreadTs] = useState("");
  const [view, setView] = useState("channel");
  const [seen, setSeen] = useState({});
  const [draft, setDraft] = useState(null);
  useEffect(() => follow(who, setState, setLost), [who]);
  useEffect(() => pipelineLinks(() => setView("circleci")), []);
  const channel = state?.channels.find((one) => one.id === channelId) ?? state?.channels.find((one) => one.name === "deploys") ?? state?.channels[0];
  const newest = channel?.messages.at(-1)?.ts ?? "";
  useEffect(() => {
    if (channel) setSeen((known) => ({ ...known, [channel.id]: newest }));
  }, [channel?.id, newest]);
  if (!state) return html`<p class="loading">Opening the workspace …</p>`;
  const act = (what) => actAs(who, what);
  const open = (id) => {
    setChannelId(id);
    setThreadTs("");
    setView("channel");
    if (id.startsWith("D")) act({ do: "open_messages" });
  };
  const openThread = (ts) => {
    setThreadTs(ts);
    setView("thread");
  };
  const propose = (text) => {
    setDraft({ text });
    setView("channel");
  };
  const root = channel.messages.find((one) => one.ts === threadTs);
  return html`<main class="app" data-view=${view} data-thread=${root ? "open" : "none"}>
    <h1 class="unseen">ci-chatops playground</h1>
    <${Sidebar} state=${state} channel=${channel} seen=${seen} open=${open} who=${who} setWho=${(name) => { setWho(name); setThreadTs(""); }} />
    <section class="pane channel" aria-label=${title(channel)}>
      <header class="pane-header"><h2>${title(channel)}</h2>${lost && html`<span class="lost" role="status">Not connected</span>`}</header>
      <${Problems} problems=${state.problems} />
      <${Messages} key=${channel.id} label=${title(channel)} messages=${inChannel(channel)} state=${state} act=${act} channel=${channel} openThread=${openThread} />
      <${Composer} id="composer" label=${`Message ${title(channel)}`} state=${state} draft=${draft}
        send=${(text) => act({ do: "say", channel: channel.id, text })} />
    </section>
    ${root && html`<${Thread} root=${root} channel=${channel} state=${state} act=${act} close=${() => { setThreadTs(""); setView("channel"); }} />`}
    <${CircleCI} state=${state} act=${act} propose=${propose} />
    <${Tabs} view=${view} setView=${setView} root=${root} />
    ${state.modal && html`<${Modal} key=${state.modal.id} view=${state.modal} names=${state.names} act=${act} />`}
  </main>`;
}

function title(channel) {
  return channel.kind === "im" ? "ci (direct messages)" : `${channel.kind === "private" ? "🔒 " : "#"}${channel.name}`;
}

function inChannel(channel) {
  return channel.messages.filter((one) => !one.thread_ts || one.broadcast);
}

function Sidebar({ state, channel, seen, open, who, setWho }) {
  const item = (one) => {
    const unread = one.id !== channel.id && (one.messages.at(-1)?.ts ?? "") > (seen[one.id] ?? "");
    return html`<li key=${one.id}><button type="button" class=${unread ? "unread" : ""} aria-current=${one.id === channel.id ? "page" : undefined}
      onClick=${() => open(one.id)}>${one.kind === "im" ? "ci" : title(one)}${unread && html` <span class="badge">new</span>`}</button></li>`;
  };
  return html`<nav class="sidebar" aria-label="Channels">
    <p class="team">Acme <small>playground</small></p>
    <h2>Channels</h2><ul>${state.channels.filter((one) => one.kind !== "im").map(item)}</ul>
    <h2>Direct messages</h2><ul>${state.channels.filter((one) => one.kind === "im").map(item)}</ul>
    <label class="who">You are <select value=${who} onChange=${(event) => setWho(event.currentTarget.value)}>
      ${state.people.filter((one) => one.kind !== "app").map((one) => html`<option value=${one.name} selected=${one.name === who}>${one.name}${one.kind && ` (${one.kind})`}</option>`)}</select></label>
  </nav>`;
}

function Thread({ root, channel, state, act, close }) {
  const messages = [root, ...channel.messages.filter((one) => one.thread_ts === root.ts)];
  const key = (event) => event.key === "Escape" && close();
  return html`<section class="pane thread" aria-label="Thread" onKeyDown=${key}>
    <header class="pane-header"><h2>Thread</h2><button type="button" class="quiet" aria-label="Close the thread" onClick=${close}>✕</button></header>
    <${Messages} key=${root.ts} rootTs=${root.ts} label="Thread" messages=${messages} state=${state} act=${act} channel=${channel} />
    <${Composer} id="thread-composer" label="Reply in the thread" state=${state}
      send=${(text) => act({ do: "say", channel: channel.id, text, thread_ts: root.ts })} />
  </section>`;
}

function Problems({ problems }) {
  if (!problems.length) return null;
  return html`<details class="problems" role="status"><summary>Slack would complain about the bot (${problems.length})</summary>
    <ul>${problems.map((one) => html`<li>${one}</li>`)}</ul></details>`;
}

function Tabs({ view, setView, root }) {
  const tab = (name, label) => html`<button type="button" aria-current=${view === name ? "page" : undefined} onClick=${() => setView(name)}>${label}</button>`;
  return html`<nav class="tabs" aria-label="Views">${tab("channels", "Channels")}${tab("channel", "Chat")}${root && tab("thread", "Thread")}${tab("circleci", "CircleCI")}</nav>`;
}

/** Open the panel for links to the pretend CircleCI's own pages: there are none to open. */
function pipelineLinks(show) {
  const clicked = (event) => {
    const found = /^http:\/\/127\.0\.0\.1:\d+\/pipelines\/.*?\/(\d+)(?:\/|$)/.exec(event.target.closest?.("a")?.href ?? "");
    if (!found) return;
    event.preventDefault();
    show();
    const pipeline = document.getElementById(`pipeline-${found[1]}`);
    if (pipeline) pipeline.open = true;
    requestAnimationFrame(() => pipeline?.scrollIntoView({ block: "start" }));
  };
  document.addEventListener("click", clicked);
  return () => document.removeEventListener("click", clicked);
}

render(html`<${App} />`, document.getElementById("app"));
