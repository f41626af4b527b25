"""Every id that Temporal shows: workflow ids, task queues, idempotency keys. All opaque, none holds patient data."""

from enum import StrEnum


class TaskQueue(StrEnum):
    ECONSULTS = "econsults"
    VISITS = "visits"
    ROLLOUTS = "rollouts"
    COMMS = "comms"


class Process(StrEnum):
    """Workflow types, and the value of the search attribute `Process`."""

    ECONSULT = "EConsult"
    RATE_REQUEST = "RateRequest"
    VISIT = "Visit"
    RECONCILE = "Reconcile"
    MESSAGE_THREAD = "MessageThread"
    LICENCE = "Licence"
    CREDENTIAL_EVENT = "CredentialEvent"
    CONDUCT_REPORT = "ConductReport"
    ROLLOUT = "Rollout"
    WAVE = "Wave"
    LOCATION = "Location"
    ROLLBACK = "Rollback"
    CADENCE = "Cadence"


CARE_QUEUE = TaskQueue.VISITS
"""Where visits, threads of messages, licences and reviews run."""

CARE_QUEUES = (TaskQueue.ECONSULTS, CARE_QUEUE)
SERVED_QUEUES = (*CARE_QUEUES, TaskQueue.ROLLOUTS)
"""What a worker polls."""

RECONCILE_SCHEDULE = "reconcile"


def cadence_schedule(cadence: str) -> str:
    """Id of the schedule of a regular report, and of what it starts."""
    return f"cadence:{cadence}"


def econsult_case(econsult_id: str) -> str:
    return f"econsult:{econsult_id}"


def visit_case(visit_id: str) -> str:
    return f"visit:{visit_id}"


def rate_request_case(request_id: str) -> str:
    return f"rate-request:{request_id}"


def message_thread_case(thread_id: str) -> str:
    return f"message-thread:{thread_id}"


def licence_case(licence_id: str) -> str:
    return f"licence:{licence_id}"


def credential_event_case(event_id: str) -> str:
    return f"credential-event:{event_id}"


def conduct_report_case(report_id: str) -> str:
    return f"conduct-report:{report_id}"


def rollout_case(program_id: str) -> str:
    return f"rollout:{program_id}"


def wave_case(program_id: str, number: int) -> str:
    return f"rollout:{program_id}:wave:{number}"


def location_case(program_id: str, location_id: str) -> str:
    return f"rollout:{program_id}:location:{location_id}"


def rollback_case(program_id: str, location_id: str, number: int) -> str:
    return f"rollout:{program_id}:location:{location_id}:rollback:{number}"


def webhook_case(provider: str, event_id: str) -> str:
    """What the outbox files a notice under that is about a webhook without a case."""
    return f"webhook:{provider}:{event_id}"


def operation_key(case_id: str, *operation: str | int) -> str:
    """The idempotency key of one side effect of a case, such as `econsult:{id}:refund:{payment}`."""
    return ":".join((case_id, *(str(part) for part in operation)))
