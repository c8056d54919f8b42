"""Each agent's part by itself."""

from __future__ import annotations

import pytest

from helpdesk import DATA, answers, intents, summary, text, translation

LABELS = ("question_answering", "summary", "translation")


def test_the_classifier_knows_its_own_training_data() -> None:
    lines = [line.split("\t", 1) for line in (DATA / "intents.tsv").read_text("utf-8").splitlines()]
    right = sum(intents.classify(example, LABELS)[0] == label for label, example in lines)
    assert right == len(lines)


def test_the_classifier_is_right_about_most_of_what_it_was_not_trained_with() -> None:
    # given each example left out once
    lines = [tuple(line.split("\t", 1)) for line in (DATA / "intents.tsv").read_text("utf-8").splitlines()]
    right = 0
    for place, (label, example) in enumerate(lines):
        found = intents.NaiveBayes(lines[:place] + lines[place + 1 :]).probabilities(example)  # type: ignore[arg-type]
        right += max(found, key=lambda name: found[name]) == label
    # then at least four of five are found
    assert right / len(lines) > 0.8, right / len(lines)


@pytest.mark.parametrize(
    ("request_text", "label"),
    [
        ("when does my parcel arrive", "question_answering"),
        ("the main points of this long letter please", "summary"),
        ("I need this mail in English", "translation"),
    ],
)
def test_new_requests_find_their_agent(request_text: str, label: str) -> None:
    assert intents.classify(request_text, LABELS)[0] == label


def test_probabilities_add_up_and_unknown_words_say_nothing() -> None:
    found = intents.model().probabilities("xyzzy plugh")
    assert sum(found.values()) == pytest.approx(1.0)
    assert max(found, key=lambda name: found[name]) == "question_answering"  # the commonest label


def test_only_the_agents_that_were_offered_are_named() -> None:
    assert intents.classify("say this in German", ["summary"])[0] == "summary"
    assert intents.classify("say this in German", ["someone_else"]) == (None, 0.0)


@pytest.mark.parametrize(
    ("question", "source"),
    [
        ("How long does delivery take?", "delivery-time"),
        ("my article arrived damaged", "damaged"),
        ("I want to return an article", "returns"),
        ("Why do they refuse my card?", "card-refused"),
        ("forgot password", "password"),
        ("how do I get rid of old batteries", "batteries"),
        ("are guarantees for tools longer", "warranty"),
    ],
)
def test_a_question_finds_its_entry(question: str, source: str) -> None:
    found = answers.search(question)
    assert found is not None
    assert found["source"] == source


def test_every_question_of_the_list_finds_itself() -> None:
    for entry in answers.entries():
        found = answers.search(entry["question"])
        assert found is not None
        assert found["source"] == entry["id"]


@pytest.mark.parametrize("question", ["", "who won the match", "what is the meaning of life"])
def test_what_has_nothing_to_do_with_it_has_no_answer(question: str) -> None:
    assert answers.search(question) is None
    assert answers.lookup(question) is None


def test_keywords_are_whole_words_and_the_longest_decides() -> None:
    assert answers.lookup("what is discard") is None
    found = answers.lookup("What is the shipping cost?")
    assert found is not None
    assert found["keyword"] == "shipping cost"


def test_a_summary_keeps_whole_sentences_in_their_order() -> None:
    mail = (
        "Summarise this:\nThe drill that I ordered in March stopped working after two weeks. I called your shop."
        " The weather was fine. The shop said that the drill has a warranty and that I should send the drill back."
        " My dog likes parcels. Please send me a new drill or my money back."
    )
    found = summary.summarise(mail, keep=2)
    assert found["sentences"] == 6
    assert found["kept"] == sorted(found["kept"])
    assert "drill" in found["summary"]
    assert "dog" not in found["summary"]
    assert "weather" not in found["summary"]


@pytest.mark.parametrize("short", ["", "One sentence only.", "Two. Sentences."])
def test_a_short_text_is_its_own_summary(short: str) -> None:
    assert summary.summarise(short)["summary"] == short


def test_a_translation_takes_the_longest_phrase_and_counts_what_it_does_not_know() -> None:
    found = translation.translate("Translate to German: My parcel has not arrived, please cancel the flurb.")
    assert found["text"] == "Mein Paket ist nicht angekommen, bitte stornieren das flurb."
    assert (found["from"], found["to"], found["unknown"]) == ("en", "de", ["flurb"])


def test_a_translation_goes_both_ways() -> None:
    found = translation.translate("Wo ist mein Paket?")
    assert (found["from"], found["text"]) == ("de", "Where is my parcel?")
    assert translation.translate("Where is my parcel? Thank you.")["text"] == "Wo ist mein Paket? Danke."


@pytest.mark.parametrize(
    ("request_text", "body"),
    [
        ("Translate: hello", "hello"),
        ("Shorter, please\nfirst line\nsecond", "first line\nsecond"),
        ("hello", "hello"),
        ("a: ", "a:"),
    ],
)
def test_what_a_request_is_about_stands_after_its_first_line_or_colon(request_text: str, body: str) -> None:
    assert text.body(request_text) == body
