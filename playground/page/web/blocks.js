// Block Kit as elements: https://docs.slack.dev/reference/block-kit/blocks . What is not known here says so plainly.
import { html, useState } from "./vendor/preact-htm.js";
import { confirmed } from "./confirm.js";
import { Text, date, emoji, link, mention, mrkdwn, unescape } from "./mrkdwn.js";

/** Return blocks in order; `press(element, choices)` is called for what is pressed or chosen.
 *  Keyed by their place: an edit gives new block_ids, and must not take the focus away. */
export function Blocks({ blocks, names, press }) {
  return blocks.map((block, number) => {
    const draw = BLOCKS[block.type];
    const content = draw ? draw(block, names, press) : html`<p class="unknown">A block of type ${block.type}, which this page cannot show.</p>`;
    return html`<div class="block block-${block.type}" key=${`${number} ${block.type}`}>${content}</div>`;
  });
}

const BLOCKS = {
  section: (block, names, press) => html`
    <div class="section-text">
      ${block.text && html`<${Text} text=${block.text} names=${names} />`}
      ${block.fields && html`<div class="fields">${block.fields.map((field) => html`<div><${Text} text=${field} names=${names} /></div>`)}</div>`}
    </div>
    ${block.accessory && html`<${Element} element=${{ ...block.accessory, block_id: block.block_id }} names=${names} press=${press} />`}`,
  context: (block, names) => block.elements.map((one) => one.type === "image"
    ? html`<${Picture} image=${one} />` : html`<span><${Text} text=${one} names=${names} /></span>`),
  actions: (block, names, press) => block.elements.map((one) =>
    html`<${Element} key=${one.action_id} element=${{ ...one, block_id: block.block_id }} names=${names} press=${press} />`),
  header: (block, names) => html`<h3><${Text} text=${block.text} names=${names} /></h3>`,
  divider: () => html`<hr />`,
  image: (block) => html`<${Picture} image=${block} />`,
  markdown: (block, names) => mrkdwn(block.text, names),
  rich_text: (block, names) => block.elements.map((part) => richPart(part, names)),
  table: (block, names) => html`<div class="table" tabindex="0" role="group" aria-label="Table"><table>${block.rows.map((row) =>
    html`<tr>${row.map((cell) => html`<td>${cell.type === "rich_text" ? cell.elements.map((part) => richPart(part, names)) : cell.text}</td>`)}</tr>`)}</table></div>`,
};

// Images lie on other hosts, which this page never asks: their words stand for them.
function Picture({ image }) {
  return html`<span class="picture">${image.title ? image.title.text : image.alt_text}</span>`;
}

function richPart(part, names) {
  const inside = part.elements ?? [];
  if (part.type === "rich_text_list") {
    const tag = part.style === "ordered" ? "ol" : "ul";
    return html`<${tag}>${inside.map((item) => html`<li>${richPart(item, names)}</li>`)}<//>`;
  }
  const content = inside.map((run) => richRun(run, names));
  if (part.type === "rich_text_quote") return html`<blockquote>${content}</blockquote>`;
  if (part.type === "rich_text_preformatted") return html`<pre>${content}</pre>`;
  return html`<div>${content}</div>`;
}

function richRun(run, names) {
  const shown = {
    link: () => link(run.url, run.text ?? run.url),
    user: () => mention(names[run.user_id] ?? run.user_id, "@"),
    channel: () => mention(names[run.channel_id] ?? run.channel_id, "#"),
    usergroup: () => mention(names[run.usergroup_id] ?? run.usergroup_id, "@"),
    broadcast: () => mention(run.range, "@"),
    emoji: () => emoji(run.name),
    date: () => date(`!date^${run.timestamp}^${run.format}`, run.fallback ?? ""),
  }[run.type]?.() ?? run.text.split("\n").map((line, number) => [number > 0 && html`<br />`, line]);
  const style = run.style ?? {};
  return ["code", "strike", "italic", "bold"].reduce((inner, mark) => {
    const tag = { code: "code", strike: "s", italic: "i", bold: "b" }[mark];
    return style[mark] ? html`<${tag}>${inner}<//>` : inner;
  }, shown);
}

/** Return one thing that can be pressed or chosen in a message or a modal. */
export function Element({ element, names, press }) {
  if (element.type === "button") return html`<${Button} element=${element} press=${press} />`;
  if (element.type === "image") return html`<${Picture} image=${element} />`;
  if (element.type === "overflow") return html`<${Overflow} element=${element} press=${press} />`;
  if (choosable(element)) return html`<${Choice} element=${element} names=${names} press=${press} />`;
  return html`<span class="unknown">An element of type ${element.type}, which this page cannot show.</span>`;
}

function Button({ element, press }) {
  const [busy, setBusy] = useState(false);
  const label = unescape(element.text.text);
  const kind = `button ${element.style ?? ""}`;
  if (element.url) {
    return html`<a class=${kind} href=${element.url} target="_blank" rel="noreferrer" onClick=${() => press(element)}>${label}</a>`;
  }
  const pressed = async (event) => {
    if (!(await confirmed(element.confirm, event.currentTarget))) return;
    setBusy(true);
    await press(element);
    setBusy(false);
  };
  return html`<button type="button" class=${kind} aria-label=${element.accessibility_label} aria-busy=${busy} onClick=${pressed}>${label}</button>`;
}

function Overflow({ element, press }) {
  return html`<details class="overflow"><summary aria-label="More actions">⋯</summary>
    <div>${element.options.map((option) => html`<button type="button" onClick=${async (event) => {
      event.currentTarget.closest("details").open = false;
      if (await confirmed(element.confirm, event.currentTarget)) await press(element, [option]);
    }}>${option.text.text}</button>`)}</div></details>`;
}

function choosable(element) {
  return element.type === "static_select" || element.type === "radio_buttons" || element.type === "users_select" || element.type === "channels_select";
}

function Choice({ element, names, press }) {
  const chosen = async (event) => {
    const { value } = event.currentTarget;
    if (value && await confirmed(element.confirm, event.currentTarget)) await press(element, [pick(element, value)]);
  };
  return html`<${Menu} element=${element} names=${names} onChange=${chosen} />`;
}

/** Return what Slack sends for a chosen value: the whole option, or an id. */
export function pick(element, value) {
  return options(element, {}).find((option) => option.value === value)?.whole ?? value;
}

/** Return a native menu over an element's options. */
export function Menu({ element, names, label, ...more }) {
  const initial = element.initial_option?.value ?? element.initial_user ?? element.initial_channel ?? "";
  return html`<select class="menu" aria-label=${label ? undefined : element.placeholder?.text ?? "Choose"} ...${more}>
    <option value="">${element.placeholder?.text ?? "Choose one"}</option>
    ${options(element, names).map((option) => html`<option value=${option.value} selected=${option.value === initial}>${option.label}</option>`)}
  </select>`;
}

function options(element, names) {
  const listed = [...(element.options ?? []), ...(element.option_groups ?? []).flatMap((group) => group.options)];
  if (listed.length) return listed.map((option) => ({ value: option.value, label: unescape(option.text.text), whole: option }));
  const mark = element.type.startsWith("users") ? "U" : "C";
  return Object.entries(names).filter(([id]) => id.startsWith(mark)).map(([id, name]) => ({ value: id, label: name, whole: id }));
}
