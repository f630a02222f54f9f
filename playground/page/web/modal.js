// Modals: a native dialog over the blocks and fields of a view.
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { Blocks, Menu, pick } from "./blocks.js";
import { unescape } from "./mrkdwn.js";

/** Return the modal somebody has before them. */
export function Modal({ view, names, act }) {
  const dialog = useRef();
  const [error, setError] = useState("");
  useEffect(() => {
    if (!dialog.current.open) dialog.current.showModal();
  }, []);
  const close = () => act({ do: "close", view_id: view.id });
  const send = async (event) => {
    event.preventDefault();
    setError((await act({ do: "submit", view_id: view.id, values: filled(view, event.currentTarget) })) ?? "");
  };
  const press = (element, choices) => act({ do: "press", view_id: view.id, action_id: element.action_id, choices });
  return html`<dialog ref=${dialog} class="modal" aria-labelledby="modal-title" onCancel=${(event) => { event.preventDefault(); close(); }}>
    <form onSubmit=${send}>
      <header><h2 id="modal-title">${unescape(view.title.text)}</h2>
        <button type="button" class="quiet" aria-label="Close" onClick=${close}>✕</button></header>
      <div class="modal-body" key=${view.id}>
        ${view.blocks.map((block) => block.type === "input"
          ? html`<${Input} key=${block.block_id} block=${block} names=${names} error=${view.errors[block.block_id]} />`
          : html`<${Blocks} key=${block.block_id} blocks=${[block]} names=${names} press=${press} />`)}
        ${error && html`<p class="error" role="alert">${error}</p>`}
      </div>
      <div class="dialog-buttons">
        <button type="button" class="button" onClick=${close}>${view.close ? unescape(view.close.text) : "Cancel"}</button>
        ${view.submit && html`<button type="submit" class="button primary">${unescape(view.submit.text)}</button>`}
      </div>
    </form>
  </dialog>`;
}

function Input({ block, names, error }) {
  const id = `input-${block.block_id}`;
  return html`<div class="field">
    <label for=${id}>${unescape(block.label.text)}${block.optional && html` <small>(optional)</small>`}</label>
    <${Field} id=${id} block=${block} names=${names} error=${error} />
    ${block.hint && html`<small>${unescape(block.hint.text)}</small>`}
    ${error && html`<p class="error" id=${`${id}-error`} role="alert">${unescape(error)}</p>`}
  </div>`;
}

function Field({ id, block, names, error }) {
  const element = block.element;
  const common = { id, name: block.block_id, "aria-invalid": Boolean(error), "aria-describedby": error ? `${id}-error` : undefined };
  if (element.options || element.option_groups || /^(users|channels)_select$/.test(element.type)) {
    if (element.type === "checkboxes") {
      return html`<div role="group" id=${id} aria-label=${block.label.text}>${element.options.map((option) => html`<label class="check">
        <input type="checkbox" name=${block.block_id} value=${option.value}
          defaultChecked=${(element.initial_options ?? []).some((one) => one.value === option.value)} /> ${unescape(option.text.text)}</label>`)}</div>`;
    }
    return html`<${Menu} ...${common} label=${true} element=${element} names=${names} />`;
  }
  const text = { ...common, defaultValue: element.initial_value ?? "", placeholder: element.placeholder?.text };
  if (element.multiline) return html`<textarea rows="4" ...${text}></textarea>`;
  const kind = { number_input: "number", email_text_input: "email", url_text_input: "url", datepicker: "date", timepicker: "time" }[element.type];
  return html`<input type=${kind ?? "text"} autocomplete="off" ...${text} />`;
}

/** Return what was filled in, by block_id, as Slack's client would send it. */
function filled(view, form) {
  const data = new FormData(form);
  const values = {};
  for (const block of view.blocks.filter((one) => one.type === "input")) {
    const given = data.getAll(block.block_id).filter((value) => value !== "").map((value) => pick(block.element, value));
    if (block.element.type === "checkboxes") values[block.block_id] = given;
    else if (given.length) values[block.block_id] = given[0];
  }
  return values;
}
