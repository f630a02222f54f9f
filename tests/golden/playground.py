"""What the records need of the playground, from one place."""

from playground.circleci.past import PastPlan, scenario_of
from playground.circleci.pipelines import Pipeline
from playground.circleci.scenarios import CLI_FAILED, COURSES, JobPlan, Scenario, TestPlan, WorkflowPlan
from playground.circleci.world import write_frontend_past, write_past
from playground.clock import START
from playground.slack import terminal
from playground.slack.conversations import Json, Message
from playground.slack.delivery import Delivery
from playground.slack.modals import View
from playground.slack.people import Person

__all__ = [
    "CLI_FAILED",
    "COURSES",
    "START",
    "Delivery",
    "JobPlan",
    "Json",
    "Message",
    "PastPlan",
    "Person",
    "Pipeline",
    "Scenario",
    "TestPlan",
    "View",
    "WorkflowPlan",
    "scenario_of",
    "terminal",
    "write_frontend_past",
    "write_past",
]
