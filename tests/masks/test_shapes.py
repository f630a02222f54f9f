"""What looks like a credential is masked, and what only begins like one is left alone."""

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.masks.shapes import MASK, without_shapes

PART = "abcdefghijklmnopqrstuvwxyz0123456789"
JWT = f"eyJ{PART}.eyJ{PART}.{PART}-{PART}_x"
BODY = "\n".join((b64encode(b"\0\0\0\x10ssh-ed25519 key " * 40).decode()[at : at + 70]) for at in range(0, 280, 70))


@pytest.mark.parametrize(
    "secret",
    [
        *(f"gh{kind}_{PART}" for kind in "opsur"),
        f"ghs_1234567_{JWT}",
        f"github_pat_11ABCDEFG0{PART}_{PART}",
        *(f"gl{kind}-{PART[:20]}" for kind in ("pat", "oas", "dt", "rt", "cbt", "ptt", "ft", "imt", "agent", "soat")),
        f"glpat-{PART[:27]}.01.0z1234567",
        f"glrtr-{PART[:27]}.01.0z1234567",
        f"lin_api_{PART}",
        f"lin_oauth_{PART}",
        f"lin_wh_{PART}",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw/+a=",
        f"xoxb-123-456-{PART}",
        f"xoxe.xoxp-1-{PART}",
        f"xapp-1-A0-{PART}",
        "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyA-1234567890abcdefghijklmnopqrstu"[:39],
        f"ya29.a0AfB_{PART}",
        f"SG.{PART[:22]}.{PART}abcdefg",
        f"CCIPAT_acme_{PART}",
        f"CCIPRJ_acme_{PART}",
        f"cia_{PART}_-{PART[:5]}",
        f"npm_{PART}",
        f"pypi-AgEIcHlwaS5vcmc{PART}",
        f"sk_live_{PART}",
        f"rk_test_{PART}",
        f"sk-{PART}{PART[:12]}",
        f"sk-proj-{PART}",
        f"sk-ant-api03-{PART}-AA",
        f"hf_{PART}",
        f"hvs.{PART}",
        f"dckr_pat_{PART}",
        JWT,
        f"b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ\n{BODY}\nAAAEBg==",
        f"MIIEowIBAAKCAQEA{PART * 2}\n{BODY}",
        f"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcw{PART}\\n{BODY[:70]}\\n{BODY[71:141]}",
        f"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{PART}\n-----END PGP PRIVATE KEY BLOCK-----",
    ],
)
@pytest.mark.parametrize("around", ["{}", "TOKEN {} end", '{{"x":"{}"}}', "🔑{}\n"])
def test_a_token_is_masked_wherever_it_stands(secret: str, around: str) -> None:
    assert without_shapes(around.format(secret)) == around.format(MASK)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("PGPASSWORD=hunter2 psql", "PGPASSWORD=[masked] psql"),
        ("export DB_PASSWORD='hunter 2, or so'", "export DB_PASSWORD='[masked]'"),
        ('{"password": "correct horse"}', '{"password": "[masked]"}'),
        ('{\\"password\\":\\"correct\\"}', '{\\"password\\":\\"[masked]\\"}'),
        ("password: hunter2", "password: [masked]"),
        ("password = hunter2", "password = [masked]"),
        ("?user=a&password=correcthorse&x=1", "?user=a&password=[masked]&x=1"),
        ("mysql_pwd=correcthorse", "mysql_pwd=[masked]"),
        ("passwd=correcthorse", "passwd=[masked]"),
        ("API_KEY=abc-def", "API_KEY=[masked]"),
        ("api-key: 'abcdef'", "api-key: '[masked]'"),
        ('"SecretAccessKey": "wJalrXUtnFEMI/K7MDENG",', '"SecretAccessKey": "[masked]",'),
        ('"SessionToken": "IQoJb3Jp/x="', '"SessionToken": "[masked]"'),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI", "AWS_SECRET_ACCESS_KEY=[masked]"),
        ("AccountName=a;AccountKey=abc/def+g==;EndpointSuffix=x", "AccountName=a;AccountKey=[masked]"),
        ("CLIENT_SECRET=abcdef", "CLIENT_SECRET=[masked]"),
        ("curl -u ada:hunter2 https://x", "curl -u ada:[masked] https://x"),
        ("curl -sSu 'ada:hunter2' https://x", "curl -sSu 'ada:[masked]' https://x"),
        ("curl --user=ada:hunter2", "curl --user=ada:[masked]"),
        ("deploy --api-token hunter2 now", "deploy --api-token [masked] now"),
        ("https://ada:p@ss@db.example/x", "https://[masked]@db.example/x"),
        (f"https://{PART}@github.com/acme", "https://[masked]@github.com/acme"),
        ("redis://:hunter2@db:6379", "redis://[masked]@db:6379"),
        (f"https://s.example/a?sig={PART}", "https://s.example/a?sig=[masked]"),
    ],
)
def test_the_value_behind_a_telling_name_is_masked(text: str, shown: str) -> None:
    assert without_shapes(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "9f1c2d7a0b4e4c0e8f6a5b3c2d1e0f9a8b7c6d5e",
        "5034460f-c7c4-4c43-9457-de07e2029e7b",
        "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "acme/app@sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "sha512-eeyJ4XzW9RnZ4xXZ7YV7K8kq0Qm9m0pQ3r7CkZ2Zp1Yy8tqVv5n0b6WcX1yGJ6sXwq3b1m0Gz5kq0H2mJ7r1Qw==",
        "integrity sha1-xwTdIQ8mUYqpUT4oxbB8K4w7x1k=",
        "2026-11-20T10:01:02.123Z",
        "npm_deploy_production_environment_frontend_eu_west",
        "sk-deploy-production-environment-bratislava",
        "sk-learn-and-friends",
        "glo-bal-search-results-are-paginated",
        "global-search-results-are-paginated",
        "gho_st_town_is_a_test_with_a_long_name",
        "test_github_pat_is_refused",
        "hf_training_runs_in_the_right_order_today",
        "pypi-publish-with-a-long-name",
        "SG.something",
        "risk-of-failure-in-the-2nd-test-case",
        "SyntaxError: Unexpected token: }",
        "next_page_token=AARLwwV2a",
        "the bearer of news",
        "password: required",
        "Password: must be given",
        "password=None, user='x'",
        "password=$DB_PASSWORD",
        "password=${DB_PASSWORD}",
        "password: str | None = None",
        "password = get()",
        "password=****",
        "password=[FILTERED]",
        "?circle-token=[removed]&page=2",
        "invalid password for user ada",
        "assert password == expected",
        "--password is required",
        "pwd: /home/circleci/project",
        "PWD /x",
        "secret: true",
        "docker run -u 1000:1000 x",
        "docker run -u root:root x",
        "docker run -u $(id -u):$(id -g) x",
        "https://github.com/acme/frontend",
        "ssh://git@github.com/acme/x",
        "https://ada@bitbucket.org/acme/x",
        "http://127.0.0.1:8080/a@b",
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUF\n-----END CERTIFICATE-----",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7 ada@acme",
        "yarn.lock#lin_ked",
        "api key is wrong",
        "key=value",
        "cache-key: v1-deps-9f1c2d7a",
        "wait for https://hooks.slack.com to answer",
        "E       assert 401 == 200",
        "com.acme.PasswordTest.password_is_checked",
        "",
    ],
)
def test_what_is_no_credential_stays(text: str) -> None:
    assert without_shapes(text) == text


@given(
    st.lists(
        st.sampled_from(
            [
                "password=",
                "PGPASSWORD",
                "'",
                '"',
                "a1b2c3",
                "[masked]",
                " ",
                "-u ",
                "a:",
                "https://",
                "@",
                "Bearer ",
                ":",
                "=",
                f"ghp_{PART}",
                "\\",
                "\n",
                "token=",
                "?",
                "--token ",
                "eyJ",
                JWT,
                "-----BEGIN PRIVATE KEY-----",
                "xoxb-",
                "&",
            ]
        ),
        max_size=8,
    )
)
def test_masking_twice_changes_nothing(parts: list[str]) -> None:
    once = without_shapes("".join(parts))
    assert without_shapes(once) == once
