"""The key-value state machine: what each function does, and that each command does it once."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from scenario import command

from actors.state.key_value import KeyValue

KEYS = st.sampled_from(["k1", "k2"])
VALUES = st.integers(0, 3)
CHANGES = st.one_of(
    st.tuples(st.just("read"), KEYS, st.none()),
    st.tuples(st.just("write"), KEYS, VALUES),
    st.tuples(st.just("cas"), KEYS, st.tuples(st.one_of(st.none(), VALUES), VALUES)),
    st.tuples(st.just("append"), KEYS, VALUES),
)


def expected(values, function, key, value):
    """The same in other words: a dictionary, and what each function is said to do."""
    found = values.get(key)
    match function:
        case "read":
            return None, found
        case "write":
            values[key] = value
            return None, value
        case "cas" if found == value[0]:
            values[key] = value[1]
            return None, value[1]
        case "cas":
            return "compare-failed", found
        case "append" if found is None or isinstance(found, tuple):
            values[key] = (found or ()) + (value,)
            return None, value
    return "wrong-type", found


@given(st.lists(CHANGES))
def test_each_function_does_what_it_says(changes):
    machine, values = KeyValue(), {}
    for serial, change in enumerate(changes, start=1):
        assert machine.apply(command(1, serial, *change)) == expected(values, *change)
    assert machine.values == values


@given(st.lists(st.tuples(st.integers(1, 3), CHANGES), max_size=12), st.data())
def test_a_command_that_arrives_again_gets_its_answer_and_changes_nothing(sequence, data):
    """Exactly once: any of a process's earlier commands may come back, any number of times, anywhere."""
    machine, once, serials = KeyValue(), KeyValue(), {}
    done = []
    for process, change in sequence:
        serials[process] = serials.get(process, 0) + 1
        asked = command(process, serials[process], *change)
        answer = machine.apply(asked)
        assert once.apply(asked) == answer
        assert machine.apply(asked) == answer
        done.append(asked)
        machine.apply(data.draw(st.sampled_from(done), label="comes again"))
    assert machine.values == once.values


def test_processes_have_sessions_of_their_own():
    machine = KeyValue()
    machine.apply(command(1, 1, "append", value="a"))
    machine.apply(command(2, 1, "append", value="b"))
    assert machine.values == {"k1": ("a", "b")}


@given(st.lists(CHANGES))
def test_replicas_that_apply_the_same_commands_are_the_same_on_the_wire_too(changes):
    machine = KeyValue()
    for serial, change in enumerate(changes, start=1):
        machine.apply(command(1, serial, *change))
    encoded = msgspec.msgpack.encode(machine)
    assert msgspec.msgpack.decode(encoded, type=KeyValue) == machine
