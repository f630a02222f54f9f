"""Addresses on CircleCI's web page and in the repository; every name in them is encoded whole."""

from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict

from bot.models.build import Build


class Links(BaseModel):
    """Makes addresses under `web_url`, Cloud's page or a Server's."""

    model_config = ConfigDict(frozen=True)
    web_url: str = "https://app.circleci.com"

    def pipeline(self, slug: str, number: int) -> str:
        """Return a pipeline's page."""
        return f"{self.web_url}/pipelines/{quote(slug)}/{number}"

    def job(self, slug: str, number: int, workflow_id: str, job_number: int | None) -> str:
        """Return a job's page, or its workflow's while it has no number."""
        workflow = f"{self.pipeline(slug, number)}/workflows/{quote(workflow_id)}"
        return workflow if job_number is None else f"{workflow}/jobs/{job_number}"

    def branch(self, slug: str, branch: str) -> str:
        """Return a branch's pipelines."""
        return f"{self.web_url}/pipelines/{quote(slug)}?branch={quote(branch, safe='')}"

    def commit(self, build: Build) -> str:
        """Return the commit's page in the repository, or empty text."""
        origin = build.pipeline.vcs.origin_repository_url if build.pipeline.vcs else ""
        revision = build.pipeline.revision
        known = urlsplit(origin).scheme in ("http", "https") and revision
        return f"{origin.rstrip('/')}/commit/{quote(revision)}" if known else ""
