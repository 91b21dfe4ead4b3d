"""Sentences name things by whole words: synonyms, plurals, terms of several words, and words that mislead."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.datasets.coco_classes import COCO_THINGS
from explorer.datasets.labels import item_names
from explorer.datasets.naming import classes_named, labels_from_sentences
from explorer.errors import DatasetError


def named(sentence: str) -> set[str]:
    return {COCO_THINGS[number] for number in classes_named(sentence)}


@pytest.mark.parametrize("thing", sorted(set(COCO_THINGS) - {"orange", "mouse", "remote", "keyboard"}))
def test_a_thing_goes_by_its_own_name(thing: str) -> None:
    assert named(f"There is a {thing} near the {thing}, see?") == {thing}


@pytest.mark.parametrize(
    ("sentence", "things"),
    [
        ("The man sits", {"person"}),
        ("Women and children", {"person"}),
        ("a crowd of people", {"person"}),
        ("two policemen", {"person"}),
        ("humans", {"person"}),
        ("A Puppy", {"dog"}),
        ("three puppies", {"dog"}),
        ("a bike", {"bicycle"}),
        ("motorbikes", {"motorcycle"}),
        ("the dirt bikes", {"motorcycle"}),
        ("a plane", {"airplane"}),
        ("a sofa", {"couch"}),
        ("televisions", {"tv"}),
        ("bulls", {"cow"}),
        ("geese", {"bird"}),
        ("two knives", {"knife"}),
        ("three benches", {"bench"}),
        ("two buses", {"bus"}),
        ("a flock of sheep", {"sheep"}),
        ("a couch and its tv", {"couch", "tv"}),
    ],
)
def test_synonyms_and_plurals(sentence: str, things: set[str]) -> None:
    assert named(sentence) == things


@pytest.mark.parametrize(
    ("sentence", "things"),
    [
        ("fire hydrants", {"fire hydrant"}),
        ("a soccer ball", {"sports ball"}),
        ("tennis balls", {"sports ball"}),
        ("glasses of wine", {"wine glass"}),
        ("a teddy-bear", {"teddy bear"}),
        ("the catcher's mitt", {"baseball glove"}),
        ("a stuffed dog", {"teddy bear"}),
        ("a tennis player", {"person", "tennis racket"}),
        ("a cyclist", {"person", "bicycle"}),
        ("skiing", {"skis"}),
    ],
)
def test_terms_of_several_words_and_words_that_name_two_things(sentence: str, things: set[str]) -> None:
    assert named(sentence) == things


@pytest.mark.parametrize(
    ("sentence", "things"),
    [
        ("a hot dog", {"hot dog"}),
        ("HOT-DOGS", {"hot dog"}),
        ("a hot dog and a dog", {"hot dog", "dog"}),
        ("a hot day for dogs", {"dog"}),
        ("a pit bull", {"dog"}),
        ("an orange collar", set()),
        ("some oranges", {"orange"}),
        ("a couple of ducks", {"bird"}),
        ("a couple walks", {"person"}),
        ("at the bus stop near the train tracks", set()),
        ("a jet ski", set()),
        ("mickey mouse plays the keyboard", set()),
        ("she ties her shoe", set()),
        ("the ball pit", set()),
        ("a football player", {"person"}),
        ("a football player with a football", {"person", "sports ball"}),
    ],
)
def test_words_that_mislead(sentence: str, things: set[str]) -> None:
    assert named(sentence) == things


@pytest.mark.parametrize("sentence", ["", " ", "...", "scarfs", "the doghouse", "catch a carpet", "bearded"])
def test_no_whole_word_no_thing(sentence: str) -> None:
    assert not named(sentence)


@given(st.text(max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    assert all(0 <= number < len(COCO_THINGS) for number in classes_named(text))


@given(st.sampled_from(COCO_THINGS), st.sampled_from(COCO_THINGS), st.sampled_from([", a ", " and the ", ". A "]))
def test_letters_and_neighbours_change_nothing(first: str, second: str, between: str) -> None:
    # Without a word between them two things can be a third: "truck , bed" is the bed of a truck.
    sentence = first + between + second
    assert named(sentence) == named(first) | named(second)
    assert named(sentence) == named(sentence.upper())


def test_a_photo_has_what_any_of_its_sentences_names() -> None:
    photos = [Path("x/a.jpg"), Path("x/b.jpg"), Path("x/c.jpg")]
    labels = labels_from_sentences(item_names(photos), [["A man.", "his dog"], ["", "grass"], ["Two dogs", "a dog"]])
    assert labels.names == COCO_THINGS
    person, dog = COCO_THINGS.index("person"), COCO_THINGS.index("dog")
    assert labels.items == {"a.jpg": (person, dog), "b.jpg": (), "c.jpg": (dog,)}


def test_photos_without_names_of_their_own_are_an_error() -> None:
    with pytest.raises(DatasetError, match="Two photos are called"):
        item_names([Path("x/a.jpg"), Path("y/a.jpg")])
