// The dialog before a press counts: a native one, which keeps the focus and closes with Escape.
import { html, render, useEffect, useRef } from "./vendor/preact-htm.js";
import { Text, unescape } from "./mrkdwn.js";

/** Ask what a confirm object says; true without one. */
export function confirmed(confirm, opener) {
  if (!confirm) return Promise.resolve(true);
  return new Promise((resolve) => {
    const place = document.body.appendChild(document.createElement("div"));
    let answered = false;
    const done = (answer) => {
      if (answered) return;
      answered = true;
      render(null, place);
      place.remove();
      opener?.focus();
      resolve(answer);
    };
    render(html`<${Confirm} confirm=${confirm} done=${done} />`, place);
  });
}

function Confirm({ confirm, done }) {
  const dialog = useRef();
  useEffect(() => dialog.current.showModal(), []);
  return html`<dialog ref=${dialog} class="confirm" aria-labelledby="confirm-title" aria-describedby="confirm-text"
      onCancel=${(event) => { event.preventDefault(); done(false); }} onClose=${() => done(false)}>
    <h2 id="confirm-title">${unescape(confirm.title.text)}</h2>
    <p id="confirm-text"><${Text} text=${confirm.text} names=${{}} /></p>
    <div class="dialog-buttons">
      <button type="button" class="button" onClick=${() => done(false)}>${unescape(confirm.deny.text)}</button>
      <button type="button" class="button ${confirm.style ?? "primary"}" onClick=${() => done(true)}>${unescape(confirm.confirm.text)}</button>
    </div>
  </dialog>`;
}
