"""The API of the broker, as far as the agent calls it."""

import ssl
from pathlib import Path
from typing import Any

import httpx2

_TIMEOUT = httpx2.Timeout(60.0, connect=10.0)

Json = dict[str, Any]


class BrokerAway(Exception):
    """The broker cannot be reached, or cannot answer now. `retry_after` is what it asks for, in seconds, or None."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BrokerRefusal(Exception):
    """The broker refuses the call, for instance because the key is not good."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code = status, code


class Broker:
    """One broker, called with the key in a file, which is read at each call: a rotated key is used at once."""

    def __init__(
        self, url: str, key_file: Path, *, ca_file: str = "", transport: httpx2.BaseTransport | None = None
    ) -> None:
        verify: Any = ssl.create_default_context(cafile=ca_file) if ca_file else True
        self._client = httpx2.Client(
            base_url=url.rstrip("/") + "/api/v1", timeout=_TIMEOUT, verify=verify, transport=transport
        )
        self._key_file = key_file
        # Whether a call is under way that may be broken off at any time without a loss.
        self.is_waiting = False

    def close(self) -> None:
        self._client.close()

    def identify(self) -> str:
        """The id of the agent whose key this is. Raises BrokerAway, BrokerRefusal."""
        agent_id = self._call("POST", "/auth/pak").get("agent")
        if not isinstance(agent_id, str):
            raise BrokerRefusal(403, "agent_pak_mismatch", "The key is no agent's.")
        return agent_id

    def sync(self, agent_id: str, body: Json, *, wait_seconds: int = 0, seen: str = "") -> Json:
        """One exchange. The broker may answer it only when something has changed since `seen`, or after `wait_seconds`.

        Raises BrokerAway, BrokerRefusal.
        """
        query = f"?wait_seconds={wait_seconds}&seen={seen}" if wait_seconds and seen else ""
        self.is_waiting = bool(query)
        try:
            return self._call("POST", f"/agents/{agent_id}/sync{query}", body)
        finally:
            self.is_waiting = False

    def claim_order(self, order_id: str, agent_id: str) -> Json:
        """The order with its `claim_token`. Raises BrokerAway, BrokerRefusal."""
        return self._call("POST", f"/work-orders/{order_id}/claim", {"agent_id": agent_id})

    def complete_order(self, order_id: str, body: Json) -> None:
        """End an attempt. Raises BrokerAway, BrokerRefusal."""
        self._call("POST", f"/work-orders/{order_id}/complete", body)

    def claim_diagnostic(self, diagnostic_id: str) -> None:
        """Begin with a request. Raises BrokerAway, BrokerRefusal."""
        self._call("POST", f"/diagnostics/{diagnostic_id}/claim")

    def answer_diagnostic(self, diagnostic_id: str, body: Json) -> None:
        """Send what was found. Raises BrokerAway, BrokerRefusal."""
        self._call("POST", f"/diagnostics/{diagnostic_id}/result", body)

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        try:
            headers = {"Authorization": f"Bearer {self._key_file.read_text().strip()}"}
            response = self._client.request(method, path, json=body, headers=headers)
        except OSError as error:
            raise BrokerAway(f"The key cannot be read: {error.strerror}.") from error
        except httpx2.HTTPError as error:
            raise BrokerAway(f"The broker cannot be reached: {type(error).__name__}.") from error
        if response.status_code in {408, 425, 429} or response.status_code >= 500:
            raise BrokerAway(f"The broker answered {response.status_code}.", _seconds(response))
        try:
            value: Any = response.json() if response.content else {}
        except ValueError as error:
            raise BrokerAway("The broker's answer is no JSON.") from error
        if not isinstance(value, dict):
            raise BrokerAway("The broker's answer is no object.")
        if response.status_code >= 300:
            code, message = str(value.get("code", "unknown")), str(value.get("message", ""))
            raise BrokerRefusal(response.status_code, code, message)
        return value


def _seconds(response: httpx2.Response) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None
