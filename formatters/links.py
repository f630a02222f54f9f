"""Addresses on CircleCI's web page; every name in them is encoded whole."""

from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

from bot.models.circleci import Pipeline


class Links(BaseModel):
    """Makes addresses under `web_url`, Cloud's page or a Server's."""

    model_config = ConfigDict(frozen=True)
    web_url: str = "https://app.circleci.com"

    def pipeline(self, slug: str, number: int) -> str:
        """Return a pipeline's page."""
        return f"{self.web_url}/pipelines/{quote(slug)}/{number}"

    def commit(self, pipeline: Pipeline) -> str:
        """Return a commit's page at its code host; empty text where CircleCI names no repository."""
        repository = pipeline.vcs.origin_repository_url.removesuffix(".git") if pipeline.vcs else ""
        if not repository.startswith("https://") or not pipeline.revision:
            return ""
        kind = "commits" if "bitbucket" in repository else "-/commit" if "gitlab" in repository else "commit"
        return f"{repository}/{kind}/{quote(pipeline.revision)}"

    def review(self, pipeline: Pipeline) -> str:
        """Return the page of its pull request; empty text where CircleCI does not tell it."""
        return pipeline.vcs.review_url if pipeline.vcs else ""

    def job(self, slug: str, number: int, workflow_id: str, job_number: int | None) -> str:
        """Return a job's page, or its workflow's while it has no number."""
        workflow = f"{self.pipeline(slug, number)}/workflows/{quote(workflow_id)}"
        return workflow if job_number is None else f"{workflow}/jobs/{job_number}"
