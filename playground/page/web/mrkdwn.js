// Slack's mrkdwn as elements: https://docs.slack.dev/messaging/formatting-message-text
// Everything becomes a text node or an element made here, so foreign text can never become markup.
import { html } from "./vendor/preact-htm.js";

const EMOJI = {
  white_check_mark: "✅", x: "❌", warning: "⚠️", no_entry: "⛔", no_entry_sign: "🚫", hourglass_flowing_sand: "⏳",
  large_blue_circle: "🔵", red_circle: "🔴", rocket: "🚀", eyes: "👀", tada: "🎉", wave: "👋", lock: "🔒", unlock: "🔓",
  "+1": "👍", thumbsup: "👍", arrows_counterclockwise: "🔄", bulb: "💡", bell: "🔔", fire: "🔥", bug: "🐛",
};
// Code first, then Slack's own tokens: nothing inside either is formatted.
const ATOM = /```\n?([\s\S]*?)```|`([^`\n]+)`|<([^<>\n]+)>/g;
// A mark counts at the edge of a word, and wraps no blanks.
const MARKS = [
  ["*", "b", /(^|[\s(_~"'>])\*(\S(?:[^*\n]*\S)?)\*(?=$|[\s)_~"'.,;:!?…])/],
  ["_", "i", /(^|[\s(*~"'>])_(\S(?:[^_\n]*\S)?)_(?=$|[\s)*~"'.,;:!?…])/],
  ["~", "s", /(^|[\s(*_"'>])~(\S(?:[^~\n]*\S)?)~(?=$|[\s)*_"'.,;:!?…])/],
];
const PLACE = /(\u{F0000}\d+\u{F0001})/u;

export function emoji(name) {
  return EMOJI[name] ?? `:${name}:`;
}

export function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** Return a text object, of either kind. */
export function Text({ text, names }) {
  if (text.type === "mrkdwn") return mrkdwn(text.text, names);
  const shown = unescape(text.text.replace(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name)));
  return shown.split("\n").map((line, number) => [number > 0 && html`<br />`, line]);
}

/** Return mrkdwn as a list of elements; `names` maps ids to names. */
export function mrkdwn(text, names) {
  const atoms = [];
  const bare = text.replace(ATOM, (whole, block, code, token) => {
    atoms.push(block !== undefined ? html`<pre>${unescape(block)}</pre>`
      : code !== undefined ? html`<code>${unescape(code)}</code>` : entity(token, names));
    return `\u{F0000}${atoms.length - 1}\u{F0001}`;
  });
  return quoted(bare.split("\n"), atoms);
}

function quoted(lines, atoms) {
  const out = [];
  for (const line of lines) {
    const inQuote = line.startsWith("&gt;") || line.startsWith(">");
    const last = out.at(-1);
    if (inQuote) {
      const rest = line.replace(/^(&gt;|>) ?/, "");
      if (last?.quote) last.lines.push(rest);
      else out.push({ quote: true, lines: [rest] });
    } else if (last && !last.quote) last.lines.push(line);
    else out.push({ quote: false, lines: [line] });
  }
  return out.map((part) => part.quote ? html`<blockquote>${joined(part.lines, atoms)}</blockquote>` : joined(part.lines, atoms));
}

function joined(lines, atoms) {
  return lines.map((line, number) => [number > 0 && html`<br />`, ...formatted(line, atoms)]);
}

function formatted(text, atoms, marks = MARKS) {
  const [mark, ...others] = marks;
  if (!mark) return plain(text, atoms);
  const [, tag, pattern] = mark;
  const found = pattern.exec(text);
  if (!found) return formatted(text, atoms, others);
  const start = found.index + found[1].length, end = found.index + found[0].length;
  const inner = formatted(found[2], atoms, marks);
  return [...formatted(text.slice(0, start), atoms, others), html`<${tag}>${inner}<//>`, ...formatted(text.slice(end), atoms, marks)];
}

function plain(text, atoms) {
  return text.split(PLACE).map((part) => {
    const atom = /^\u{F0000}(\d+)\u{F0001}$/u.exec(part);
    return atom ? atoms[Number(atom[1])] : unescape(part.replace(/:([a-z0-9_+-]+):/g, (_, name) => emoji(name)));
  });
}

/** Return what stands between `<` and `>`: a mention, a channel, a date or a link. */
function entity(token, names) {
  const [target, label = ""] = token.split(/\|(.*)/s);
  if (target.startsWith("@")) return mention(names[target.slice(1)] ?? (label || target.slice(1)), "@");
  if (target.startsWith("#")) return mention(names[target.slice(1)] ?? (label || target.slice(1)), "#");
  if (target.startsWith("!date^")) return date(target, label);
  if (target.startsWith("!subteam^")) return mention(names[target.slice(9)] ?? (label.replace(/^@/, "") || target.slice(9)), "@");
  if (target.startsWith("!")) return mention(label.replace(/^@/, "") || target.slice(1), "@");
  return link(unescape(target), unescape(label) || unescape(target).replace(/^mailto:/, ""));
}

export function mention(name, mark) {
  return html`<span class="mention">${mark}${name}</span>`;
}

export function link(address, label) {
  return /^(https?:|mailto:)/.test(address) ? html`<a href=${address} target="_blank" rel="noreferrer">${label}</a>` : label;
}

export function date(target, fallback) {
  const [, seconds, pattern = ""] = target.split("^");
  if (!/^\d+$/.test(seconds ?? "")) return fallback;
  const when = new Date(Number(seconds) * 1000);
  const shown = pattern.replace(/\{(\w+)\}/g, (_, part) =>
    part === "time" ? clock(when) : part === "time_secs" ? clock(when, true) : day(when, part.endsWith("_pretty")));
  return html`<time datetime=${when.toISOString()} title=${when.toString()}>${shown}</time>`;
}

/** Return a day; a near one by its name, where Slack would. */
function day(when, pretty) {
  const ahead = Math.round((new Date(when).setHours(12, 0, 0, 0) - new Date().setHours(12, 0, 0, 0)) / 86_400_000);
  const near = pretty ? { 0: "today", [-1]: "yesterday", 1: "tomorrow" }[ahead] : undefined;
  return near ?? when.toLocaleDateString(undefined, { year: "numeric", month: "short", day: "numeric" });
}

export function clock(when, seconds = false) {
  return when.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", ...(seconds && { second: "2-digit" }) });
}
