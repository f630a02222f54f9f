"""Where the right value of each setting is found, for who puts it right."""

APP = "api.slack.com/apps, your app"
PLACES = {
    "SLACK_BOT_TOKEN": f"{APP}, OAuth & Permissions, Bot User OAuth Token (xoxb-…)",
    "SLACK_APP_TOKEN": f"{APP}, Basic Information, App-Level Tokens, Generate, with the scope connections:write",
    "SLACK_SIGNING_SECRET": f"{APP}, Basic Information, App Credentials, Signing Secret",
    "SLACK_API_URL": "leave it out, for https://slack.com",
    "CIRCLECI_TOKEN": "app.circleci.com as the machine user, User Settings, Personal API Tokens, Create New Token",
    "CIRCLECI_URL": "https://circleci.com, or the address of your Server",
    "MASK_VALUES": "your own secrets, comma-separated or as a JSON list; leave the short one out, or make it longer",
    "REDIS_URL": "redis://host:6379/0, rediss:// with TLS, unix:// for a socket; leave it out for the embedded server",
    "METRICS_TOKEN": "a random word of your own: openssl rand -hex 32",
    "PUBLIC_URL": "the https address that CircleCI and agents reach, such as https://ci.example.com",
    "OPERATOR_CHANNEL": "its id: click the channel's name in Slack, About, the last line",
    "HOST": "leave it out, for all addresses of this machine",
    "PORT": "a number from 1024 to 65535 on which nothing listens yet (ss -ltnp names what does)",
    "HTTPS_PROXY": "docs/setup.md, Proxies and own certificates",
    "HTTP_PROXY": "docs/setup.md, Proxies and own certificates",
    "SSL_CERT_FILE": "docs/setup.md, Proxies and own certificates; leave it out where no authority is your own",
    "DATA_DIR": "a folder of this user's own",
    "ADMINS": "ids of people, comma-separated: click a person in Slack, ⋮, Copy member ID",
    "PROJECTS_FILE": "docs/setup.md, Projects file",
    "POLICY_FILE": "docs/policy.md; python -m bot policy check FILE says when it is right",
}
NAMES = "let CIRCLECI_TOKEN see it, write what it is called by now, or take it out of the rules"
IDS = "click the person or the group in Slack, ⋮, Copy member ID or Copy group ID"
CHANNEL_ID = "click the channel's name in Slack, About, the last line; in a private one say /invite @ci"


def place(name: str) -> str:
    """Return where the right value of a setting is found."""
    return PLACES.get(name, "README.md, Settings")
