"""Addresses on CircleCI's web page; every name in them is encoded whole."""

from urllib.parse import quote

from pydantic import BaseModel, ConfigDict


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
