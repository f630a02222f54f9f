"""The shapes of credentials: tokens that say what they are, and values behind a name that says it."""

import regex

MASK = "[masked]"
_BEHIND = rf"\1{MASK}"

_KEY_BLOCK = regex.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    regex.DOTALL,
)
_KEY_END = regex.compile(r"\A.*-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----", regex.DOTALL)
# Keys of OpenSSH, RSA, EC and PKCS #8 begin alike once they are base64, and nothing else does.
_KEY_BODY = regex.compile(
    r"""
    (?<![A-Za-z0-9+/])
    (?: b3BlbnNzaC1rZXktdjE | MII[A-Za-z0-9+/]{2,5}IBAAKC | MII[A-Za-z0-9+/]{2,6}ADANBgkqhkiG9w0BAQEFAAS
      | MHcCAQEE | MIG[A-Za-z0-9+/]{1,3}AgEAM | MC4CAQAwBQYDK2Vw )
    [A-Za-z0-9+/]*+={0,2}
    (?: (?:\s|\\n|\\r)++[A-Za-z0-9+/]{40,}+={0,2} )*+
    (?: (?:\s|\\n|\\r)++[A-Za-z0-9+/]{1,80}+={1,2} )?
    """,
    regex.VERBOSE,
)
# Three parts, of which the first may stand behind other letters. Only the first `eyJ` of a run of them is tried: where
# that one leads nowhere, none behind it does, and to try each would take quadratic time.
_WEB_TOKEN = regex.compile(
    r"""
    (?<![\w-]) ((?>[\w-]*?(?=(?<![A-Za-z0-9_])eyJ))) eyJ[\w-]{8,}+ \.eyJ[\w-]{8,}+ \.[\w-]+
    """,
    regex.VERBOSE,
)
# Where words of people may begin alike (`npm_run_all`, `sk-region`), what no word has tells: so many letters and digits
# without a break.
_TOKENS = regex.compile(
    r"""
    (?<![A-Za-z0-9_])(?:
        (?:xox[a-z](?:\.xox[a-z])?|xapp|xwfp)-[\w.-]{8,}
      | ghs_[\w.-]{35,}[\w-]
      | gh[opsur]_[A-Za-z0-9]{20,}
      | github_pat_\w{20,}
      | gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct|wt)-[\w.-]{15,}[\w-]
      | GR1348941[\w-]{20,}
      | lin_(?:api|oauth|wh)_\w{16,}
      | whsec_[A-Za-z0-9+/_-]{16,}={0,2}
      | (?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?![A-Za-z0-9_])
      | AIza[\w-]{35}
      | ya29\.[\w.-]{20,}
      | SG\.[\w-]{16,}\.[\w-]{16,}
      | CCI(?:PAT|PRJ)_\w{8,}
      | cia_[\w-]{43,}
      | npm_[A-Za-z0-9]{30,}
      | pypi-[\w-]{50,}
      | rubygems_[0-9a-f]{40,}
      | [rs]k_(?:live|test)_\w{16,}
      | sk-(?:proj|svcacct|admin|or-v1|ant-\w{1,20})-[\w-]{20,}
      | sk-[A-Za-z0-9]{20,}
      | hf_[A-Za-z0-9]{30,}
      | hv[sb]\.[\w-]{20,}
      | do[opr]_v1_[0-9a-f]{40,}
      | dckr_(?:pat|oat)_[\w-]{20,}
      | ATATT3[\w=-]{40,}
      | dapi[0-9a-f]{32}
      | shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}
    )
    | (?<=hooks\.slack\.com/(?:services|workflows|triggers)/)[\w/]+
    """,
    regex.VERBOSE,
)
# The values of these are secret whatever they look like.
_NAMED = regex.compile(
    r"""
    ( (?<![a-z0-9_])(?:
          bearer\s++
        | authorization["']?\s*+[:=]\s*+["']?(?:basic|token)\s++
        | (?:circle-token|circle(?:ci)?_(?:api_)?token|aws_secret_access_key)["']?\s*+[:=]\s*+["']?
      )
    | [?&](?:x-amz-(?:signature|credential|security-token)|signature|sig|token|secret)=
    )
    (?!\[[a-z]{3,12}\]) [^\s"'&]{8,}
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
# `password` and its like are words as well ("password: required"): what stands in quotes or right behind a `=` is the
# value; of the rest only what no word is, with a digit in it.
_NAME = r"""
    (?: password | passwd | passphrase | (?<![a-z])pwd(?=["'\\]*=)
      | (?:api|access|account|private|secret|encryption)[_-]?(?:access)?[_-]?key
      | (?:client|webhook|signing|app|shared)[_-]?secret | (?<![a-z0-9_-])secret(?==)
      | (?:auth|access|api|refresh|session|security|deploy|bot|id)[_-]?token
    )
"""
_NO_VALUE = r"""
    (?! \[[a-z]{3,12}\]  # somebody has masked it already
      | (?:none|null|nil|true|false|undefined|empty|required|missing|redacted|hidden|string|str)(?![^\s"'\\,;:)\]}&|])
      | [*x•.]{2,} | \$[a-z_{(] | %[a-z(] | < | \{\{ | env\.
    )
"""
_PASSWORD = regex.compile(
    rf"""
    ( {_NAME} (?:
        \\?["']?\s*+(?:=|:|=>)\s*+\\?["'] {_NO_VALUE} (?=[^"'\\\s])
      | = {_NO_VALUE} (?=[^\s"'&=>]{{3}})
      | \\?["']?\s*+(?:=|:|=>)\s*+ {_NO_VALUE} (?=[^\s"'&=]{{6}}) (?=[^\s"'&]{{0,63}}[0-9])
    ) )
    (?: (?<=["'])[^"'\\\n]+ | [^\s"'&]+ )
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
_OPTION = regex.compile(
    r"""
    ( (?<![\w-]) (?:
          --(?:[a-z]{1,20}-){0,3}(?:password|passwd|passphrase|token|secret|key)\s++["']?
          (?=[^\s"']{6}) (?=[^\s"']{0,63}[0-9])
        | (?:-[a-z]{0,6}u|--user|--proxy-user)[\s=]*+["']?
          (?![0-9]+:[0-9]+(?!\S)|\$) [^\s:"'/]{1,100}+: (?=[^\s"']{6})
    ) )
    (?!\[masked\]|\$[a-zA-Z_{(]) [^\s"']+
    """,
    regex.VERBOSE | regex.IGNORECASE,
)
_USER_INFO = regex.compile(r"(?<=://)(?:[^\s/@:]*+:[^\s/]+|[^\s/@:\[\]]{20,200}+)(?=@)")
# What a text must have for a pattern to be worth the while: almost all have nothing of it.
_OF_TOKENS = (
    *("xox", "xapp-", "xwfp-", "gho_", "ghp_", "ghs_", "ghu_", "ghr_", "github_pat_", "lin_", "whsec_", "AKIA", "ASIA"),
    *(
        "ABIA",
        "ACCA",
        "AIza",
        "ya29.",
        "SG.",
        "CCIPAT_",
        "CCIPRJ_",
        "cia_",
        "npm_",
        "pypi-",
        "rubygems_",
        "k_live_",
        "k_test_",
    ),
    *(
        "sk-",
        "hf_",
        "hvs.",
        "hvb.",
        "dop_",
        "dor_",
        "doo_",
        "dckr_",
        "ATATT3",
        "dapi",
        "shp",
        "hooks.slack.com/",
        "GR1348941",
        "glpat-",
        "gloas-",
    ),
    *("gldt-", "glrt-", "glrtr-", "glcbt-", "glptt-", "glft-", "glimt-", "glagent-", "glsoat-", "glffct-", "glwt-"),
)
_OF_NAMED = ("bearer", "authorization", "token", "aws_secret", "signature", "credential", "sig=", "secret=")
_OF_PASSWORDS = ("passw", "passphrase", "pwd", "key", "secret", "token")


def without_shapes(text: str) -> str:
    """Replace what looks like a credential."""
    small = text.lower()
    if "PRIVATE KEY" in text:
        text = _KEY_END.sub(MASK, _KEY_BLOCK.sub(MASK, text))
    text = _KEY_BODY.sub(MASK, text)
    if _has(text, _OF_TOKENS):
        text = _TOKENS.sub(MASK, text)
    if "eyJ" in text:
        text = _WEB_TOKEN.sub(_BEHIND, text)
    if _has(small, _OF_NAMED):
        text = _NAMED.sub(_BEHIND, text)
    if _has(small, _OF_PASSWORDS):
        text = _PASSWORD.sub(_BEHIND, text)
    text = _OPTION.sub(_BEHIND, text)
    return _USER_INFO.sub(MASK, text) if "@" in text else text


def _has(text: str, marks: tuple[str, ...]) -> bool:
    return any(map(text.__contains__, marks))  # for each text there is: a generator takes three times as long
