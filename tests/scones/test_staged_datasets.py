from scones.staged_datasets import sample


def test_a_sample_takes_the_classes_by_turns_and_is_the_same_each_time() -> None:
    labels = {f"{n}.png": int(n >= 50) for n in range(100)}
    chosen = sample(sorted(labels), labels.get, 20)
    assert [labels[key] for key in chosen] == [0, 1] * 10
    assert chosen == sample(sorted(labels), labels.get, 20)
    assert chosen != sample(sorted(labels), labels.get, 20, seed=8)


def test_a_sample_is_never_larger_than_what_there_is() -> None:
    assert len(sample(["a", "b", "c"], {"a": 0, "b": 1, "c": 1}.get, 100)) == 3


def test_what_has_no_label_is_not_drawn() -> None:
    assert sample(["a", "b"], {"a": 0}.get, 2) == ["a"]
