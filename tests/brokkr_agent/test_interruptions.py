"""The process of the agent is killed at any request to the cluster. The next one brings everything to its end."""

from itertools import count

import httpx2
import pytest

from tests.brokkr_agent.conftest import World, config_map, new_stack, place, remove
from tests.brokkr_agent.fake_cluster import Stopped, answer_all


def killed_at(world: World, number: int) -> bool:
    """Let the process run until its write with this number, and kill it. False if it came to its end."""
    writes = count()

    def stop(method: str, _path: str) -> httpx2.Response | None:
        if method != "GET" and next(writes) == number:
            raise Stopped
        return None

    world.cluster.refuse = stop
    try:
        world.run()
    except Stopped:
        return True
    finally:
        world.cluster.refuse = answer_all
    return False


@pytest.mark.parametrize("number", range(12))
def test_after_a_kill_at_any_write_the_next_process_finishes_it(world, number):
    changing, leaving = new_stack(world), new_stack(world)
    world.publish(changing, config_map("a"), config_map("b"))
    world.publish(leaving, config_map("leaves"))
    world.cluster.add_foreign(place("foreign"), {"metadata": {"name": "foreign"}})
    world.run()
    world.publish(changing, config_map("b", "new"), config_map("c"))
    remove(leaving.id)
    was_killed = killed_at(world, number)
    # Inventory, two objects, one pruned, inventory; one removed, its inventory.
    assert was_killed == (number < 7)
    world.restart()
    world.run()
    assert world.cluster.texts() == {
        place("b"): {"word": "new"},
        place("c"): {"word": ""},
        place("foreign"): None,
    }
    inventories = [path for path in world.cluster.objects if "brokkr-inventory" in path]
    assert len(inventories) == 1


@pytest.mark.parametrize("number", range(3))
def test_what_a_killed_process_applied_of_a_replaced_version_is_not_orphaned(world, number):
    stack = new_stack(world)
    world.publish(stack, config_map("a"))
    world.run()
    world.publish(stack, config_map("b"), config_map("c"))
    assert killed_at(world, number)
    # The version that was being applied is never seen again.
    world.publish(stack, config_map("d"))
    world.restart()
    world.run()
    assert world.cluster.texts().keys() == {place("d")}
