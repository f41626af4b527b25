"""The part of Twilio's Messages and Calls APIs that Carewave uses, without any telephone."""

from embedded.twilio_sandbox.app import twilio_app
from embedded.twilio_sandbox.calls import StoredCall
from embedded.twilio_sandbox.state import TwilioSandbox
from embedded.twilio_sandbox.texts import StoredText

__all__ = ["StoredCall", "StoredText", "TwilioSandbox", "twilio_app"]
