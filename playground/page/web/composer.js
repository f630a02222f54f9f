// The field one types in, with Slack's hints: / for commands, @ for people, # for channels.
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";

const MOST_HINTS = 6;

/** Return the field; `send(text)` gives back what went wrong, or null. `draft` is text put there from elsewhere. */
export function Composer({ id, label, state, send, draft }) {
  const field = useRef();
  const [text, setText] = useState("");
  const [caret, setCaret] = useState(0);
  const [chosen, setChosen] = useState(0);
  const [closed, setClosed] = useState(false);
  const [error, setError] = useState("");
  useEffect(() => {
    if (draft?.text) {
      setText(draft.text);
      field.current.focus();
    }
  }, [draft]);
  const hints = closed ? [] : hintsFor(text, caret, state);
  const changed = (event) => {
    setText(event.currentTarget.value);
    setCaret(event.currentTarget.selectionStart);
    setChosen(0);
    setClosed(false);
    setError("");
  };
  const take = (hint) => {
    const next = text.slice(0, hint.from) + hint.insert + text.slice(caret);
    setText(next);
    setCaret(hint.from + hint.insert.length);
    setClosed(true);
    field.current.focus();
  };
  const submit = async () => {
    const said = field.current.value; // what stands there, also where the last letter is not rendered yet
    if (!said.trim()) return;
    setText("");
    const complaint = await send(said);
    if (complaint) {
      setError(complaint);
      setText(said);
    }
  };
  const key = (event) => {
    if (hints.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      setChosen((chosen + (event.key === "ArrowDown" ? 1 : hints.length - 1)) % hints.length);
    } else if (hints.length && (event.key === "Enter" || event.key === "Tab") && !event.shiftKey) {
      event.preventDefault();
      take(hints[chosen]);
    } else if (hints.length && event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      setClosed(true);
    } else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      submit();
    }
  };
  const usage = text.startsWith(`${state.command.name} `) && text.trim() === state.command.name ? state.command.usage_hint : "";
  return html`<div class="composer">
    ${hints.length > 0 && html`<ul class="hints" id=${`${id}-hints`} role="listbox" aria-label="Hints">${hints.map((hint, number) => html`
      <li role="option" id=${`${id}-hint-${number}`} aria-selected=${number === chosen} onMouseDown=${(event) => { event.preventDefault(); take(hint); }}>
        <b>${hint.label}</b> <span>${hint.detail}</span></li>`)}</ul>`}
    ${error && html`<p class="error" role="alert">${error}</p>`}
    <div class="box">
      <textarea id=${id} ref=${field} rows=${Math.min(6, text.split("\n").length)} aria-label=${label} placeholder=${label} value=${text}
        aria-controls=${hints.length ? `${id}-hints` : undefined} aria-autocomplete="list"
        aria-activedescendant=${hints.length ? `${id}-hint-${chosen}` : undefined}
        autocapitalize="off" autocomplete="off" spellcheck=${false} onInput=${changed} onKeyDown=${key}
        onClick=${(event) => setCaret(event.currentTarget.selectionStart)} onBlur=${() => setClosed(true)}></textarea>
      ${usage && html`<span class="usage" aria-hidden="true">${usage}</span>`}
      <button type="button" class="send" aria-label="Send" disabled=${!text.trim()} onClick=${submit}>➤</button>
    </div>
  </div>`;
}

/** Return what could be meant at the caret: each hint says what it inserts, and from where. */
export function hintsFor(text, caret, state) {
  const before = text.slice(0, caret);
  if (/^\/\S*$/.test(before)) {
    const { name, description, usage_hint: usage } = state.command;
    return name.startsWith(before) ? [{ from: 0, insert: `${name} `, label: name, detail: `${usage} · ${description}` }] : [];
  }
  const found = /(?:^|\s)([@#])([\w-]*)$/.exec(before);
  if (!found) return [];
  const [, mark, typed] = found;
  const named = mark === "@" ? state.people.map((one) => ({ name: one.name, detail: one.kind }))
    : state.channels.filter((one) => one.kind !== "im").map((one) => ({ name: one.name, detail: "" }));
  return named.filter((one) => one.name.startsWith(typed.toLowerCase())).slice(0, MOST_HINTS)
    .map((one) => ({ from: caret - typed.length - 1, insert: `${mark}${one.name} `, label: mark + one.name, detail: one.detail }));
}
