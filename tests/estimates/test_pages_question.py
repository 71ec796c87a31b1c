"""The question in the address: read, checked, written back; what is wrong is said with what is accepted."""

import pytest
from django.http import QueryDict

from estimates.pages.question import Question, QuestionError, Vocabulary, read_question

VOCABULARY = Vocabulary(
    models=frozenset({"llama-3.1-8b-instruct", "deepseek-r1"}),
    workloads=frozenset({"chat", "rag"}),
    vendors=frozenset({"nvidia", "amd"}),
    places=frozenset({"DE", "US"}),
    default_model="llama-3.1-8b-instruct",
    default_workload="chat",
)


def read(query: str) -> Question:
    return read_question(QueryDict(query), VOCABULARY)


def test_an_empty_address_asks_the_usual_question() -> None:
    assert read("") == Question("llama-3.1-8b-instruct", "chat")


def test_a_form_submits_what_was_left_empty_and_it_is_not_given() -> None:
    assert read("model=&users=&tpot=+&vendor=&unfit=") == read("")


def test_every_part_is_read() -> None:
    question = read(
        "model=deepseek-r1&workload=rag&users=1,000&tpot=12.5&ttft=800&basis=spot&region=Europe&segment=edge"
        "&vendor=amd&vendor=nvidia&vendor=amd&chips=16&answer=fastest&order=speed&unfit=1&rows=all&open=x-x8"
    )
    assert question == Question(
        model="deepseek-r1",
        workload="rag",
        users=1000,
        tpot=12.5,
        ttft=800.0,
        basis="spot",
        region="Europe",
        segment="edge",
        vendor=("amd", "nvidia"),
        chips=16,
        answer="fastest",
        order="speed",
        unfit=True,
        rows="all",
    )
    assert question.open == "x-x8"


def test_the_address_brings_the_question_back_and_is_short() -> None:
    question = read("model=deepseek-r1&vendor=amd&vendor=nvidia&tpot=12.5&unfit=1")
    address = question.address()
    assert address == "?model=deepseek-r1&workload=chat&tpot=12.5&vendor=amd&vendor=nvidia&unfit=1"
    assert read(address[1:]) == question
    assert question.address(tpot=None, vendor=(), unfit=False) == "?model=deepseek-r1&workload=chat"


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("modle=deepseek-r1", "modle"),
        ("model=gpt-9", "model"),
        ("model=deepseek-r1&model=deepseek-r1", "model"),
        ("users=0", "users"),
        ("users=-3", "users"),
        ("users=2.5", "users"),
        ("users=many", "users"),
        ("users=٣", "users"),
        ("users=99999999999999999999", "users"),
        ("tpot=nan", "tpot"),
        ("tpot=inf", "tpot"),
        ("ttft=1e400", "ttft"),
        ("basis=free", "basis"),
        ("region=Atlantis", "region"),
        ("vendor=acme", "vendor"),
        ("chips=%00", "chips"),
        ("unfit=yes", "unfit"),
        ("rows=1000", "rows"),
    ],
)
def test_what_has_no_meaning_is_refused_by_its_name(query: str, parameter: str) -> None:
    with pytest.raises(QuestionError) as refused:
        read(query)
    assert [problem.parameter for problem in refused.value.problems] == [parameter]


def test_all_problems_are_said_at_once_with_what_is_accepted() -> None:
    with pytest.raises(QuestionError) as refused:
        read("workload=lunch&users=x&colour=red")
    problems = {problem.parameter: problem for problem in refused.value.problems}
    assert list(problems) == ["colour", "workload", "users"]
    assert problems["workload"].accepted == ("chat", "rag")
    assert "model" in problems["colour"].accepted
