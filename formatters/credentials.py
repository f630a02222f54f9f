"""Variables and keys: their names and fingerprints, never a value, not even the end of one."""

from collections.abc import Callable
from typing import Literal

from bot.actions import (
    AddCheckoutKey,
    ButtonAction,
    ClearCache,
    HerokuForm,
    RemoveCheckoutKey,
    RemoveVariable,
    SshKeyForm,
    VariableForm,
)
from bot.answers.acts import KeyAdded
from bot.answers.keeps import CheckoutKeys, Offer, Variables
from bot.models.classic import CheckoutKey
from formatters.blocks import Block, Message, actions, assemble, button, code, context, fit, literal, section
from formatters.dialogs import asks
from formatters.forms import MAX_INPUT, View, field, form
from formatters.words import count

HIDDEN = "••••"
ROTATE = "A value that was typed into a message is no secret any more: make a new one, and never use this one."


def _said(text: str) -> Message:
    return assemble(text, section(text))


_SENT = "I send it to CircleCI, and keep no copy."

How = Literal["typed", "written", "pressed"]
_STANDS: dict[How, str] = {
    "typed": "",
    "written": " Your message still stands in Slack: delete it.",
    "pressed": " It still stands on the button: delete that message if you can.",
}


def typed_value(say: str, *, how: How = "typed", known_by_shape: bool = False) -> Message:
    """Refuse a secret that was typed into a message; `say` is the command that asks for it in a window."""
    looks = "This holds what looks like a token or a key, or a value I was told to hide." if known_by_shape else ""
    text = (
        f"{looks} I do not take a secret from a message: I have done nothing, and kept nothing of this one."
        f"{_STANDS[how]} {ROTATE}"
    ).strip()
    return assemble(text, section(f"{text}\nSay {code(say)}, and I ask for the value in a window of its own."))


def token_in_link() -> Message:
    """Warn of a token that stood in a link."""
    return _said(f"The link you pasted carried a CircleCI token. I took it out and kept nothing of it. {ROTATE}")


def variables(found: Variables) -> Message:
    """List the names, or say that the one is set; what CircleCI shows of a value may be half of a short one."""
    project = literal(found.project_title)
    if found.which:
        return _said(f"{code(found.names[0], 120)} is set in {project}: {HIDDEN}")
    if not found.names:
        return _said(f"{project} has no environment variables of its own.")
    lines = [f"• {code(name, 120)} {HIDDEN}" for name in sorted(found.names)]
    text = f"{project} has {count(len(found.names), 'environment variable')}."
    return assemble(text, section(f"*{text}*"), section(fit(lines, 2800)), context("Contexts are not among them."))


def keys(found: CheckoutKeys) -> Message:
    """List the checkout keys by fingerprint, or show the one with its public half."""
    project = literal(found.project_title)
    if found.which:
        (one,) = found.keys
        text = f"A checkout key of {project}."
        return assemble(text, section(f"*{text}*\n{_key_line(one)}\n{code(one.public_key.strip(), 2000)}"))
    if not found.keys:
        return _said(f"{project} has no checkout keys.")
    text = f"{project} has {count(len(found.keys), 'checkout key')}."
    return assemble(text, section(f"*{text}*"), section(fit([_key_line(one) for one in found.keys], 2800)))


def key_added(added: KeyAdded) -> Message:
    """Say which key was made."""
    return _said(f"✅ {literal(added.project_slug)} has a new checkout key.\n{_key_line(added.key)}")


def _key_line(one: CheckoutKey) -> str:
    preferred = " · preferred" if one.preferred else ""
    since = f" · since {one.time:%Y-%m-%d}" if one.time else ""
    return f"• {literal(one.type, 60)} · {code(one.fingerprint, 120)}{preferred}{since}"


def offer(offered: Offer) -> Message:
    """Offer a window to type a secret into, or a button that asks before anything is done."""
    return _OFFERS[offered.act](offered)


def _value(offered: Offer) -> Message:
    named = f"{code(offered.what, 120)} in {literal(offered.project_title)}"
    text = f"Nothing is set yet. Press, and type the value of {named} into a window: {_SENT}"
    window = VariableForm(project_slug=offered.project_slug, name=offered.what)
    return assemble(text, section(text), actions(button(window, "Type the value", style="primary")))


def _asked(text: str, action: ButtonAction, label: str, style: str, sure: Block | None) -> Message:
    """Return what can be done, with a button if its dialog has room for all of it."""
    if sure is None:
        text = f"{text} Its name is too long for a dialog of Slack's: do it on CircleCI's own page."
    return assemble(text, section(text), actions(button(action, label, style=style, confirm=sure)) if sure else None)


def _remove_variable(offered: Offer) -> Message:
    project, name = offered.project_title, offered.what
    text = f"{code(name, 120)} of {literal(project)} can be removed; nobody can read its value before that."
    sure = asks(
        f"Remove {name}?", f"Builds of {project} no longer see {name}. Its value is lost.", "Remove it", "Keep it"
    )
    action = RemoveVariable(project_slug=offered.project_slug, name=name)
    return _asked(text, action, f"Remove {name}", "danger", sure)


def _add_key(offered: Offer) -> Message:
    project, kind = offered.project_title, offered.what
    whose = "read this one repository" if kind == "deploy-key" else "read and push to whatever the machine user may"
    text = f"Nothing is added yet. Press, and CircleCI makes a {literal(kind)} for {literal(project)}: it may {whose}."
    sure = asks(
        "Add a checkout key?",
        f"A new {kind} for {project} is made and used from the next build on.",
        "Add it",
        "Not now",
    )
    action = AddCheckoutKey(project_slug=offered.project_slug, kind=kind)
    return _asked(text, action, f"Add {kind}", "primary", sure)


def _remove_key(offered: Offer) -> Message:
    project = offered.project_title
    assert offered.key is not None  # noqa: S101  # whoever offers this has found one
    text = f"This checkout key of {literal(project)} can be removed.\n{_key_line(offered.key)}"
    last = "Builds can no longer check out code with it."
    sure = asks("Remove this key?", f"{offered.what} of {project} is removed. {last}", "Remove it", "Keep it")
    action = RemoveCheckoutKey(project_slug=offered.project_slug, fingerprint=offered.what)
    return _asked(text, action, "Remove this key", "danger", sure)


def _ssh_key(offered: Offer) -> Message:
    title = literal(offered.project_title)
    text = f"Nothing is added yet. Press, and paste the private key for {title} into a window: {_SENT}"
    window = SshKeyForm(project_slug=offered.project_slug)
    return assemble(text, section(text), actions(button(window, "Paste the key", style="primary")))


def _heroku_key(_: Offer) -> Message:
    text = (
        "Only a CircleCI server of your own may still take a Heroku API key, for my user there: CircleCI Cloud dropped "
        "this. A variable of the project does the same there: `/ci env set &lt;project&gt; HEROKU_API_KEY`."
    )
    return assemble(text, section(text), actions(button(HerokuForm(), "Paste the key")))


def _clear_cache(offered: Offer) -> Message:
    project = offered.project_title
    text = f"The dependency caches of {literal(project)} can be cleared; the next builds take longer."
    sure = asks("Clear the caches?", f"All dependency caches of {project} are dropped.", "Clear them", "Keep them")
    action = ClearCache(project_slug=offered.project_slug)
    return _asked(text, action, "Clear the caches", "danger", sure)


_OFFERS: dict[str, Callable[[Offer], Message]] = {
    "set_variable": _value,
    "remove_variable": _remove_variable,
    "add_checkout_key": _add_key,
    "remove_checkout_key": _remove_key,
    "add_ssh_key": _ssh_key,
    "add_heroku_key": _heroku_key,
    "clear_cache": _clear_cache,
}


def variable_form(action: VariableForm, value: str, action_id: str) -> View:
    """Return the form for a value."""
    seen = f"Builds of {literal(action.project_slug)} see it as {code(action.name)}."
    intro = f"It is sent to CircleCI and kept nowhere else. {seen}"
    fields = [field("value", "Value", hint="Nobody can read it again, me included.", multiline=True)]
    return form(action.name, intro, fields, value=value, action_id=action_id, submit="Set it")


def ssh_key_form(action: SshKeyForm, value: str, action_id: str) -> View:
    """Return the form for an SSH key."""
    intro = (
        f"Builds of {literal(action.project_slug)} may log in with it. It is sent to CircleCI and kept nowhere else."
    )
    fields = [
        field("hostname", "Host name", hint="Such as deploy.example.com; empty for every host.", optional=True),
        field(
            "private_key",
            "Private key",
            hint=f"PEM, without a passphrase, at most {MAX_INPUT} characters: an ed25519 key is short enough.",
            multiline=True,
        ),
    ]
    return form("SSH key", intro, fields, value=value, action_id=action_id, submit="Add it")


def heroku_form(action: HerokuForm, value: str, action_id: str) -> View:  # noqa: ARG001  # every form has one
    """Return the form for a Heroku key."""
    intro = "It is sent to CircleCI and kept nowhere else."
    return form("Heroku key", intro, [field("key", "API key")], value=value, action_id=action_id, submit="Set it")
