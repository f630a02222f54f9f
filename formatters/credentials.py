"""Variables and keys: their names and fingerprints, never a value, not even the end of one."""

from collections.abc import Sequence

from bot.actions import (
    AddCheckoutKey,
    ClearCache,
    HerokuForm,
    RemoveCheckoutKey,
    RemoveVariable,
    SshKeyForm,
    VariableForm,
)
from bot.models.classic import CheckoutKey, EnvironmentVariable
from formatters.blocks import Message, actions, assemble, button, code, confirm, context, fit, literal, section
from formatters.forms import MAX_INPUT, View, field, form
from formatters.words import count

HIDDEN = "••••"
ROTATE = "A value that was typed into a message is no secret any more: make a new one, and never use this one."


def _said(text: str) -> Message:
    return assemble(text, section(text))


def typed_value(command: str) -> Message:
    """Refuse a secret that was typed into a message."""
    text = f"I do not take a secret from a message, and I have kept nothing of this one. {ROTATE}"
    return assemble(text, section(f"{text}\nSay {code(command)}, and I ask for the value in a window of its own."))


def token_in_link() -> Message:
    """Warn of a token that stood in a link."""
    return _said(f"The link you pasted carried a CircleCI token. I took it out and kept nothing of it. {ROTATE}")


def variables(project: str, found: Sequence[EnvironmentVariable]) -> Message:
    """List the names; what CircleCI shows of a value may be half of a short one."""
    if not found:
        return _said(f"{literal(project)} has no environment variables of its own.")
    lines = [f"• {code(one.name, 120)} {HIDDEN}" for one in sorted(found, key=lambda one: one.name)]
    text = f"{literal(project)} has {count(len(found), 'environment variable')}."
    return assemble(text, section(f"*{text}*"), section(fit(lines, 2800)), context("Contexts are not among them."))


def variable(project: str, found: EnvironmentVariable) -> Message:
    """Say that one is set."""
    return _said(f"{code(found.name, 120)} is set in {literal(project)}: {HIDDEN}")


def ask_value(project: str, slug: str, name: str) -> Message:
    """Offer the form for a value."""
    text = f"The value of {code(name, 120)} in {literal(project)} is typed into a window of its own, and kept nowhere."
    return assemble(
        text,
        section(text),
        actions(button(VariableForm(project_slug=slug, name=name), "Type the value", style="primary")),
    )


def variable_form(action: VariableForm, value: str, action_id: str) -> View:
    """Return the form for a value."""
    seen = f"Builds of {literal(action.project_slug)} see it as {code(action.name)}."
    intro = f"It is sent to CircleCI and kept nowhere else. {seen}"
    fields = [field("value", "Value", hint="Nobody can read it again, me included.", multiline=True)]
    return form(action.name, intro, fields, value=value, action_id=action_id, submit="Set it")


def variable_set(slug: str, name: str) -> Message:
    """Say that CircleCI has it."""
    return _said(f"✅ {code(name, 120)} is set in {literal(slug)}. Builds that start from now on see it.")


def ask_remove_variable(project: str, slug: str, name: str) -> Message:
    """Offer to take a variable away."""
    text = f"{code(name, 120)} of {literal(project)} can be removed; nobody can read its value before that."
    sure = confirm(
        f"Remove {name}?", f"Builds of {project} no longer see {name}. Its value is lost.", "Remove it", "Keep it"
    )
    offer = button(RemoveVariable(project_slug=slug, name=name), f"Remove {name}", style="danger", confirm=sure)
    return assemble(text, section(text), actions(offer))


def variable_removed(slug: str, name: str) -> Message:
    """Say that it is gone."""
    return _said(f"✅ {code(name, 120)} is removed from {literal(slug)}.")


def keys(project: str, found: Sequence[CheckoutKey]) -> Message:
    """List the checkout keys by fingerprint."""
    if not found:
        return _said(f"{literal(project)} has no checkout keys.")
    lines = [_key_line(one) for one in found]
    text = f"{literal(project)} has {count(len(found), 'checkout key')}."
    return assemble(text, section(f"*{text}*"), section(fit(lines, 2800)))


def _key_line(one: CheckoutKey) -> str:
    preferred = " · preferred" if one.preferred else ""
    since = f" · since {one.time:%Y-%m-%d}" if one.time else ""
    return f"• {literal(one.type, 60)} · {code(one.fingerprint, 120)}{preferred}{since}"


def key(project: str, one: CheckoutKey) -> Message:
    """Show one key with its public half."""
    text = f"A checkout key of {literal(project)}."
    return assemble(text, section(f"*{text}*\n{_key_line(one)}\n{code(one.public_key.strip(), 2000)}"))


def ask_add_key(project: str, slug: str, kind: str) -> Message:
    """Offer to make a checkout key."""
    whose = "read this one repository" if kind == "deploy-key" else "read whatever the machine user may"
    text = f"CircleCI makes a new {literal(kind)} for {literal(project)}, which may {whose}."
    sure = confirm(
        "Add a checkout key?",
        f"A new {kind} for {project} is made and used from the next build on.",
        "Add it",
        "Not now",
    )
    offer = button(AddCheckoutKey(project_slug=slug, kind=kind), f"Add {kind}", style="primary", confirm=sure)
    return assemble(text, section(text), actions(offer))


def key_added(slug: str, one: CheckoutKey) -> Message:
    """Say which key was made."""
    return _said(f"✅ {literal(slug)} has a new checkout key.\n{_key_line(one)}")


def ask_remove_key(project: str, slug: str, one: CheckoutKey) -> Message:
    """Offer to take a key away."""
    text = f"This checkout key of {literal(project)} can be removed.\n{_key_line(one)}"
    last = "Builds can no longer check out code with it."
    sure = confirm("Remove this key?", f"{one.fingerprint} of {project} is removed. {last}", "Remove it", "Keep it")
    action = RemoveCheckoutKey(project_slug=slug, fingerprint=one.fingerprint)
    return assemble(text, section(text), actions(button(action, "Remove it", style="danger", confirm=sure)))


def pressed_before() -> Message:
    """Say that this very press was carried out."""
    return _said("This was asked for already. `keys list` shows what there is now.")


def key_removed(slug: str, fingerprint: str) -> Message:
    """Say that it is gone."""
    return _said(f"✅ The checkout key {code(fingerprint, 120)} is removed from {literal(slug)}.")


def gone(what: str) -> Message:
    """Say that there is nothing left to remove."""
    return _said(f"{code(what, 120)} is not there any more. Nothing was done.")


def ask_ssh_key(project: str, slug: str) -> Message:
    """Offer the form for an SSH key."""
    text = f"The private key for {literal(project)} is pasted into a window of its own, and kept nowhere."
    return assemble(
        text, section(text), actions(button(SshKeyForm(project_slug=slug), "Paste the key", style="primary"))
    )


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


def ssh_key_added(slug: str, hostname: str) -> Message:
    """Say that CircleCI has it."""
    return _said(f"✅ Builds of {literal(slug)} may log in to {literal(hostname) or 'every host'} with the new key.")


def ask_heroku_key() -> Message:
    """Offer the form for a Heroku key, and say what became of it."""
    text = (
        "A Heroku API key belongs to my user on CircleCI. CircleCI Cloud dropped this; a variable of the project does "
        "the same there: `env set &lt;project&gt; HEROKU_API_KEY`."
    )
    return assemble(text, section(text), actions(button(HerokuForm(), "Paste the key")))


def heroku_form(action: HerokuForm, value: str, action_id: str) -> View:  # noqa: ARG001  # every form has one
    """Return the form for a Heroku key."""
    intro = "It is sent to CircleCI and kept nowhere else."
    return form("Heroku key", intro, [field("key", "API key")], value=value, action_id=action_id, submit="Set it")


def heroku_key_set() -> Message:
    """Say that CircleCI has it."""
    return _said("✅ My user on CircleCI has the Heroku key.")


def no_heroku() -> Message:
    """Say that this CircleCI takes no Heroku keys."""
    return _said(
        "CircleCI answers 404: it takes no Heroku keys any more. Set HEROKU_API_KEY as an environment variable of the "
        "project instead. The key you typed went nowhere."
    )


def ask_clear_cache(project: str, slug: str) -> Message:
    """Offer to drop the caches."""
    text = f"The dependency caches of {literal(project)} can be cleared; the next builds take longer."
    sure = confirm("Clear the caches?", f"All dependency caches of {project} are dropped.", "Clear them", "Keep them")
    offer = button(ClearCache(project_slug=slug), "Clear the caches", style="danger", confirm=sure)
    return assemble(text, section(text), actions(offer))


def cache_cleared(slug: str, said: str) -> Message:
    """Say what CircleCI says."""
    return _said(f"✅ The caches of {literal(slug)} are cleared. CircleCI says: {literal(said) or 'nothing'}.")


def no_cache_clearing() -> Message:
    """Say that Cloud removed it, and what to do instead."""
    return _said(
        "CircleCI removed this in 2020, and answers 404. Change the cache's key in the configuration instead: put a "
        "number into it (`v2-deps-…`) and count it up."
    )
