"""How many requests of whom are under way at once, so that receivers that are slow or hang delay no other."""

import threading

import pytest

from tests.factories import make_notice, make_webhook
from tests.support.receiver import OK, after, close_connection, meeting, setting
from webhooks.dispatcher import deliver_due
from webhooks.models import Delivery, Status

pytestmark = pytest.mark.django_db


def test_a_slow_receiver_delays_nobody_else(receiver):
    fast_arrived = threading.Event()
    slow = make_webhook(url=receiver.url("/slow"))
    make_notice()
    fast = make_webhook(url=receiver.url("/fast"))
    make_notice()
    # The slow one answers only when the other has been served, which is behind it.
    receiver.replies["/slow"] = [after(fast_arrived, OK)] * 2
    receiver.replies["/fast"] = [setting(fast_arrived, OK)]
    assert deliver_due() == 3
    assert set(Delivery.objects.values_list("subscription", "status")) == {
        (slow.id, Status.SUCCESS),
        (fast.id, Status.SUCCESS),
    }


def test_a_webhook_with_a_long_queue_leaves_room_for_others(receiver, settings):
    settings.WEBHOOK_DELIVERY_BATCH_SIZE = 10
    together = meeting(threading.Barrier(3), OK)
    make_webhook(url=receiver.url("/busy"))
    for _ in range(20):
        make_notice()
    make_webhook(url=receiver.url("/other"))
    make_notice()
    # Two of the busy one's and the other's are answered only when all three are under way.
    receiver.replies["/busy"] = [together, together, *[OK] * 19]
    receiver.replies["/other"] = [together]
    assert deliver_due() == 22
    assert receiver.most_at_once["/busy"] == 2
    # The oldest are begun first, two at once; which of the two arrives first is for the system to say.
    oldest = Delivery.objects.order_by("id").values_list("event_id", flat=True)[:2]
    assert set(receiver.ids("/busy")[:2]) == {str(event_id) for event_id in oldest}


def test_five_webhooks_that_hang_leave_room_for_others(receiver, settings):
    settings.WEBHOOK_DELIVERY_BATCH_SIZE = 10
    arrived = threading.Event()
    for number in range(5):
        path = f"/hangs-{number}"
        make_webhook(url=receiver.url(path), timeout_seconds=60)
        # They answer only when the other has been served, which is behind them all.
        receiver.replies[path] = [after(arrived, OK)] * 3
    for _ in range(3):
        make_notice()
    make_webhook(url=receiver.url("/other"))
    make_notice()
    receiver.replies["/other"] = [setting(arrived, OK)]
    assert deliver_due() == 5 * 4 + 1
    assert set(Delivery.objects.values_list("status", "attempts")) == {(Status.SUCCESS, 1)}


def test_a_webhook_that_gives_no_answer_gets_one_request_at_a_time_until_it_does(receiver, settings):
    settings.WEBHOOK_DELIVERY_BATCH_SIZE = 10
    path, at_once = "/mute", []
    other_arrived, together = threading.Event(), meeting(threading.Barrier(2), OK)

    def counted(then):
        def reply(handler):
            at_once.append(receiver.most_at_once[path])
            then(handler)

        return reply

    make_webhook(url=receiver.url(path), max_retries=1)
    make_notice()
    receiver.replies[path] = [close_connection]
    assert deliver_due() == 1

    for _ in range(4):
        make_notice()
    make_webhook(url=receiver.url("/other"))
    make_notice()
    receiver.replies["/other"] = [setting(other_arrived, OK)]
    receiver.replies[path] = [
        counted(after(other_arrived, close_connection)),
        counted(OK),
        together,
        together,
    ]
    assert deliver_due() == 6
    assert at_once == [1, 1]


def test_no_more_is_under_way_than_the_batch_size_says(receiver, settings):
    settings.WEBHOOK_DELIVERY_BATCH_SIZE = 3
    receiver.usual = meeting(threading.Barrier(3), OK)
    for _ in range(6):
        make_webhook(url=receiver.url())
    make_notice()
    assert deliver_due() == 6
    assert receiver.most_at_once["/hook"] == 3
