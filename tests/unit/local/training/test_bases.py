"""What the names of models mean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentkit.local.training.bases import Base, UnknownBaseError, base_of_adapter, resolve, tiny_folder
from agentkit.local.training.store import JobStore


def model(folder: Path, name: str = "config.json") -> Path:
    folder.mkdir(parents=True)
    (folder / name).write_text("{}")
    return folder


def test_tiny_1_has_a_folder_once_it_was_made(tmp_path: Path) -> None:
    assert resolve("tiny-1", tmp_path) == Base("tiny-1", "tiny", None, "tiny-1")
    folder = model(tiny_folder(tmp_path))
    assert resolve("tiny-1", tmp_path).folder == folder


def test_trained_models_are_called_after_what_they_began_as(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    store.add_model("ft:tiny-1:agentkit:x:1234:ckpt-step-9", model(tmp_path / "m"), "ftjob-1")
    store.close()
    name = "ft:tiny-1:agentkit:x:1234:ckpt-step-9"
    assert resolve(name, tmp_path) == Base(name, "trained", tmp_path / "m", "tiny-1")


def test_folders_are_given_by_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model(tmp_path / "my model", "adapter_config.json")
    assert resolve(str(folder), tmp_path) == Base(str(folder), "folder", folder.resolve(), "my-model")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve("./my model", tmp_path).folder == folder.resolve()
    assert resolve("~/my model", tmp_path).folder == folder.resolve()


def test_hugging_faces_models_are_looked_for_in_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert resolve("some/model-1b", tmp_path) == Base("some/model-1b", "hub", None, "model-1b")
    repository = tmp_path / "hub" / "models--some--model-1b"
    snapshot = model(repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc\n")
    assert resolve("some/model-1b", tmp_path).folder == snapshot


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("gpt-4.1-mini", "No model is called 'gpt-4.1-mini' here. There are: 'tiny-1', .*organisation/name"),
        ("ft:tiny-1:agentkit::gone", "There is no model 'ft:tiny-1:agentkit::gone' any more"),
        ("/nowhere/at/all", "There is no folder '/nowhere/at/all'"),
        ("/", "is no folder of a model: it has neither config.json nor adapter_config.json"),
        ("~nobody-of-this-name/x", "can't be looked into"),
        ("a/../../b", "No model is called"),
        ("./a\0b", "no NUL characters"),
        ("", "No model is called"),
    ],
)
def test_other_names_are_told_what_there_is(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(UnknownBaseError, match=told):
        resolve(name, tmp_path)


def test_models_whose_files_are_gone_are_told(tmp_path: Path) -> None:
    store = JobStore(tmp_path)
    store.add_model("ft:tiny-1:agentkit::1", tmp_path / "m", "ftjob-1")
    store.close()
    with pytest.raises(
        UnknownBaseError, match=r"The files of 'ft:tiny-1:agentkit::1' are gone: .*/m has no config.json"
    ):
        resolve("ft:tiny-1:agentkit::1", tmp_path)


def adapter(folder: Path, base: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": base}))
    return folder


def test_the_base_of_a_lora_is_found_where_the_platforms_folder_was_moved_to(tmp_path: Path) -> None:
    job = tmp_path / "fine_tuning" / "jobs" / "ftjob-1"
    base = model(job / "start")
    old = "/before/fine_tuning/jobs/ftjob-1/start"
    assert base_of_adapter(adapter(job / "model", old)) == str(base)
    assert base_of_adapter(adapter(job / "trainer" / "checkpoint-9", old)) == str(base)


@pytest.mark.parametrize("named", ["/gone/start", "/gone/ftjob-2/start", "/gone/ftjob-1/other", "some/model-1b"])
def test_the_base_of_a_lora_is_what_it_names_where_nothing_of_its_job_is_meant(tmp_path: Path, named: str) -> None:
    model(tmp_path / "ftjob-1" / "start")
    assert base_of_adapter(adapter(tmp_path / "ftjob-1" / "model", named)) == named


@pytest.mark.parametrize("named", [None, "", 5])
def test_a_lora_that_names_no_base_is_told(tmp_path: Path, named: object) -> None:
    with pytest.raises(ValueError, match="it names no base model"):
        base_of_adapter(adapter(tmp_path / "a", named))
