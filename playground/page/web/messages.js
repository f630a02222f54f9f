// Messages as Slack's client shows them: authors, times, edits, threads, and what only you can see.
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { Blocks } from "./blocks.js";
import { clock, emoji, mrkdwn } from "./mrkdwn.js";

const TOGETHER_SECONDS = 300;

/** Return a list of messages that stays at its end while new ones come; `rootTs` makes it a thread. */
export function Messages({ label, messages, state, act, channel, openThread, rootTs }) {
  const list = useRef();
  const atEnd = useRef(true);
  const newest = messages.at(-1);
  useEffect(() => {
    if (atEnd.current && list.current) list.current.scrollTop = list.current.scrollHeight;
  });
  const scrolled = ({ currentTarget: box }) => {
    atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  };
  return html`<div class="messages" ref=${list} onScroll=${scrolled} role="log" aria-label=${label} tabindex="0" data-newest=${newest?.ts}>
    ${messages.length === 0 && html`<p class="nothing">Nothing has been said here yet.</p>`}
    ${messages.map((message, number) => [
      rootTs && number === 1 && html`<p class="thread-rule" key="rule">${replies(messages.length - 1)}</p>`,
      html`<${Message} key=${message.ts} message=${message} joined=${follows(messages[number - 1], message, rootTs)}
        state=${state} act=${act} channel=${channel} openThread=${openThread} />`,
    ])}
  </div>`;
}

function replies(count) {
  return count === 1 ? "1 reply" : `${count} replies`;
}

function follows(before, message, rootTs) {
  return Boolean(before) && before.ts !== rootTs && before.user === message.user && !before.only_you && !message.only_you
    && parseFloat(message.ts) - parseFloat(before.ts) < TOGETHER_SECONDS;
}

function Message({ message, joined, state, act, channel, openThread }) {
  const person = state.people.find((one) => one.id === message.user);
  const when = new Date(parseFloat(message.ts) * 1000);
  const place = { channel: channel.id, ts: message.ts };
  const [complaint, setComplaint] = useState("");
  const press = async (element, choices) => setComplaint((await act({ do: "press", ...place, action_id: element.action_id, choices })) ?? "");
  const thread = openThread && channel.messages.filter((one) => one.thread_ts === message.ts);
  return html`<article class=${`message ${joined ? "joined" : ""} ${message.only_you ? "only-you" : ""}`} aria-label=${`${person?.name ?? "?"}, ${clock(when)}`}>
    ${message.edited && html`<span class="flash" key=${message.edited}></span>`}
    <div class="gutter">${joined ? html`<time class="quiet-time">${clock(when)}</time>` : html`<${Avatar} person=${person} />`}</div>
    <div class="content">
      ${message.only_you && html`<p class="note">👁 Only visible to you</p>`}
      ${message.broadcast && html`<p class="note">${alsoIn(channel, message, openThread)}</p>`}
      ${!joined && html`<p class="author"><b>${person?.name}</b>${person?.kind && html` <span class="badge">${person.kind}</span>`} <time>${clock(when)}</time></p>`}
      ${message.blocks.length ? html`<${Blocks} blocks=${message.blocks} names=${state.names} press=${press} />`
        : html`<div class="block">${mrkdwn(message.text, state.names)}</div>`}
      ${message.files.map((file) => html`<p class="file">📄 ${file.name} <small>${file.size} bytes</small></p>`)}
      ${complaint && html`<p class="error" role="alert">${complaint}</p>`}
      ${message.edited && html`<small class="edited">(edited)</small>`}
      ${message.reactions.length > 0 && html`<p class="reactions">${message.reactions.map((name) => html`<span>${emoji(name)} 1</span>`)}</p>`}
      ${message.status && html`<p class="note">ci ${message.status}</p>`}
      ${message.only_you && html`<button type="button" class="as-link" onClick=${() => act({ do: "dismiss", ...place })}>Dismiss message</button>`}
      ${thread && thread.length > 0 && html`<${ThreadLink} thread=${thread} open=${() => openThread(message.ts)} />`}
      ${thread && thread.length === 0 && !message.only_you && !message.thread_ts && html`<button type="button" class="reply as-link" onClick=${() => openThread(message.ts)}>Reply in thread</button>`}
    </div>
  </article>`;
}

/** Say of a reply that was sent to the channel too where else it stands. */
function alsoIn(channel, message, openThread) {
  if (!openThread) return `Also sent to #${channel.name}`;
  return html`<button type="button" class="as-link" onClick=${() => openThread(message.thread_ts)}>Replied to a thread</button>`;
}

function ThreadLink({ thread, open }) {
  const last = new Date(parseFloat(thread.at(-1).ts) * 1000);
  return html`<button type="button" class="thread-link" onClick=${open}>
    <b>${replies(thread.length)}</b> <span>Last reply at ${clock(last)}</span></button>`;
}

function Avatar({ person }) {
  if (person?.kind === "app") return html`<img class="avatar" src="/page/icon.svg" alt="" width="36" height="36" />`;
  const hue = [...(person?.name ?? "?")].reduce((sum, letter) => sum + letter.charCodeAt(0) * 37, 0) % 6;
  return html`<span class=${`avatar hue-${hue}`} aria-hidden="true">${(person?.name ?? "?")[0].toUpperCase()}</span>`;
}
