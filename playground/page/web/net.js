// The way to the playground: the state as it streams in, and acts of the person at the page.

/** Call `show` with each new state of `who`; returns a function that stops. */
export function follow(who, show, lost) {
  const events = new EventSource(`/events?as=${encodeURIComponent(who)}`);
  events.onmessage = (event) => show(JSON.parse(event.data));
  events.onerror = () => lost(true);
  events.onopen = () => lost(false);
  return () => events.close();
}

/** Do something as `who`; returns what Slack's client would complain about, or null. */
export async function act(who, what) {
  const answer = await fetch("/act", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ as: who, ...what }),
  });
  return answer.ok ? (await answer.json()).error : `The playground answers ${answer.status}.`;
}
