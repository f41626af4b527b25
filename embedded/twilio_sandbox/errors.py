"""Answers in Twilio's error format."""

from __future__ import annotations

MESSAGES = {
    20003: "Authenticate",
    20404: "The requested resource was not found",
    20429: "Too many requests",
    20500: "An internal server error has occurred",
    21201: "No 'To' number is specified",
    21205: "Url is not a valid URL",
    21211: "The 'To' number is not a valid phone number",
    21213: "Caller phone number is required",
    21214: "The 'To' phone number cannot be reached",
    21215: "Account not authorized to call this number",
    21216: "Account not allowed to call this number",
    21217: "Phone number does not appear to be valid",
    21602: "Message body is required",
    21603: "A 'From' phone number is required",
    21604: "A 'To' phone number is required",
    21610: "Attempt to send to unsubscribed recipient",
    21612: "The 'To' number is not currently reachable via SMS",
    21614: "The 'To' number is not a valid mobile number",
    21617: "The concatenated message body exceeds the 1600 character limit",
}


class TwilioError(Exception):
    """An answer in Twilio's error format."""

    def __init__(self, code: int, status: int = 400) -> None:
        super().__init__(MESSAGES[code])
        self.code = code
        self.status = status
