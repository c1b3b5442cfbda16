"""What is refused without a thread: in the shape of the API, with another moment to come back for each."""

import socket
from http.client import HTTPResponse

import orjson

from server.refusals import refuse_for_now


def refusal(*, is_overload: bool, stays: bool) -> tuple[HTTPResponse, dict[str, str]]:
    client, ours = socket.socketpair()
    with client, ours:
        refuse_for_now(ours, is_overload=is_overload, stays=stays)
        answer = HTTPResponse(client)
        answer.begin()
        return answer, orjson.loads(answer.read())


def test_who_comes_during_an_overload_is_told_so_in_the_shape_of_every_refusal():
    answer, body = refusal(is_overload=True, stays=True)

    assert (answer.status, body["code"], body["error"]) == (503, "overloaded", body["message"])
    assert (answer.headers["content-type"], answer.will_close) == ("application/json", False)


def test_not_all_come_back_at_the_same_moment():
    waits = {int(refusal(is_overload=True, stays=True)[0].headers["retry-after"]) for _ in range(200)}

    assert waits == {1, 2, 3, 4, 5}


def test_who_has_waited_for_too_long_is_told_busy_and_his_connection_may_end():
    answer, body = refusal(is_overload=False, stays=False)

    assert (answer.status, body["code"], answer.headers["retry-after"]) == (503, "busy", "1")
    assert answer.will_close
