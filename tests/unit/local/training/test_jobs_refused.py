"""Fine-tuning jobs that are refused: each with what is wrong, where, and what to do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from api_calls import refusal
from tuning_clients import Tuning

from agentkit.local.errors import ApiError
from agentkit.local.training.requirements import check_training, check_wandb


def supervised(**hyperparameters: Any) -> dict[str, Any]:
    return {"method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}}}


def dpo(**hyperparameters: Any) -> dict[str, Any]:
    return {"method": {"type": "dpo", "dpo": {"hyperparameters": hyperparameters}}}


OF_SUPERVISED = "method.supervised.hyperparameters"
OF_DPO = "method.dpo.hyperparameters"


@pytest.mark.parametrize(
    ("given", "param", "said"),
    [
        ({"suffix": ""}, "suffix", "minimum length 1"),
        ({"suffix": "x" * 65}, "suffix", "maximum length 64"),
        ({"suffix": 5}, "suffix", "expected a string"),
        ({"seed": -1}, "seed", ">= 0, but got -1"),
        ({"seed": 2_147_483_648}, "seed", "<= 2147483647"),
        ({"seed": 1.5}, "seed", "expected an integer"),
        ({"metadata": {"k" * 65: "v"}}, f"metadata.{'k' * 65}", "maximum length 64"),
        ({"metadata": {"k": "v" * 513}}, "metadata.k", "maximum length 512"),
        ({"metadata": {str(n): "" for n in range(17)}}, "metadata", "at most 16"),
        ({"metadata": {"k": 1}}, "metadata.k", "expected a string"),
        (supervised(n_epochs=0), f"{OF_SUPERVISED}.n_epochs", ">= 1, but got 0"),
        (supervised(n_epochs=51), f"{OF_SUPERVISED}.n_epochs", "<= 50, but got 51"),
        (supervised(n_epochs="many"), f"{OF_SUPERVISED}.n_epochs", "'many'. Supported values are: 'auto'"),
        (supervised(n_epochs=2.5), f"{OF_SUPERVISED}.n_epochs", "expected an integer"),
        (supervised(n_epochs=True), f"{OF_SUPERVISED}.n_epochs", "expected an integer"),
        (supervised(batch_size=0), f"{OF_SUPERVISED}.batch_size", ">= 1"),
        (supervised(batch_size=257), f"{OF_SUPERVISED}.batch_size", "<= 256"),
        (supervised(learning_rate_multiplier=0), f"{OF_SUPERVISED}.learning_rate_multiplier", "> 0, but got 0"),
        (supervised(learning_rate_multiplier=-0.1), f"{OF_SUPERVISED}.learning_rate_multiplier", "> 0, but got -0.1"),
        (supervised(lora_rank=-1), f"{OF_SUPERVISED}.lora_rank", ">= 0"),
        (supervised(lora_rank=257), f"{OF_SUPERVISED}.lora_rank", "<= 256"),
        (supervised(max_length=15), f"{OF_SUPERVISED}.max_length", ">= 16"),
        (supervised(beta=0.1), f"{OF_SUPERVISED}.beta", "Unknown parameter"),
        (supervised(n_epoch=1), f"{OF_SUPERVISED}.n_epoch", "Unknown parameter"),
        (dpo(beta=0), f"{OF_DPO}.beta", "> 0, but got 0"),
        (dpo(beta=2.1), f"{OF_DPO}.beta", "<= 2, but got 2.1"),
        (dpo(n_epochs=51), f"{OF_DPO}.n_epochs", "<= 50"),
        ({"hyperparameters": {"n_epochs": 0}}, "hyperparameters.n_epochs", ">= 1"),
        ({"hyperparameters": {"beta": 1}}, "hyperparameters.beta", "Unknown parameter"),
        ({"hyperparameters": {}, **supervised(n_epochs=1)}, "hyperparameters", "put all of them there"),
        ({"method": {"type": "ppo"}}, "method.type", "'supervised', 'dpo', and 'reinforcement'"),
        ({"method": {"supervised": {}}}, "method.type", "Missing required parameter"),
        ({"method": {"type": "dpo", "supervised": {}}}, "method.supervised", "'method.type' is 'dpo'"),
        ({"method": {"type": "reinforcement", "reinforcement": {"grader": {}}}}, "method.type", "'dpo' on pairs"),
        ({"integrations": [{"type": "tensorboard", "wandb": {}}]}, "integrations[0].type", "'wandb'"),
        ({"integrations": [{"type": "wandb"}]}, "integrations[0].wandb", "Missing required parameter"),
        ({"integrations": [{"type": "wandb", "wandb": {}}]}, "integrations[0].wandb.project", "Missing"),
        ({"integrations": [{"type": "wandb", "wandb": {"project": "p"}}] * 2}, "integrations", "got several"),
        ({"surprise": 1}, "surprise", "Unknown parameter"),
        ({"model": ""}, "model", "minimum length 1"),
        ({"model": None}, "model", "expected a string"),
        ({"training_file": None}, "training_file", "expected a string"),
    ],
)
def test_each_documented_limit_is_kept(tuning: Tuning, given: dict[str, Any], param: str, said: str) -> None:
    body = {"model": "tiny-1", "training_file": "file-x", **given}
    error = refusal(lambda: tuning.api.post("/fine_tuning/jobs", body=body, cast_to=object))
    assert (error.status_code, error.param) == (400, param)
    assert said in error.message
    assert not tuning.store.exists


@pytest.mark.parametrize(
    "given",
    [
        supervised(n_epochs=1, batch_size=1, learning_rate_multiplier=1e-6, lora_rank=0, max_length=16),
        supervised(n_epochs=50, batch_size=256, learning_rate_multiplier=10, lora_rank=256),
        dpo(beta=2, learning_rate_multiplier="auto"),
        dpo(beta=1e-9),
        {"seed": 0, "suffix": "x"},
        {"seed": 2_147_483_647, "suffix": "x" * 64},
        {"integrations": None, "metadata": None, "suffix": None, "seed": None, "validation_file": None},
        {"integrations": [], "metadata": {}},
    ],
)
def test_what_is_within_the_limits_is_taken(tuning: Tuning, given: dict[str, Any]) -> None:
    body = {"model": "tiny-1", "training_file": tuning.file(), **given}
    assert tuning.api.post("/fine_tuning/jobs", body=body, cast_to=object)["status"] == "validating_files"


@pytest.mark.parametrize("param", ["training_file", "validation_file"])
@pytest.mark.parametrize(
    ("name", "purpose", "said"),
    [
        (None, None, "there is no file 'file-x'"),
        ("a.jsonl", "user_data", "purpose 'user_data'"),
        ("a.json", "fine-tune", "is called 'a.json'"),
    ],
)
def test_files_have_to_be_there_for_training(
    tuning: Tuning, param: str, name: str | None, purpose: str | None, said: str
) -> None:
    file = "file-x" if name is None else tuning.file(name=name, purpose=purpose)
    given = {"training_file": file} if param == "training_file" else {"validation_file": file}
    body = {"model": "tiny-1", "training_file": tuning.file(), **given}
    error = refusal(lambda: tuning.api.post("/fine_tuning/jobs", body=body, cast_to=object))
    assert (error.status_code, error.param, error.code) == (400, param, "invalid_file")
    assert said in error.message
    assert not tuning.store.exists


def test_validation_with_the_training_file_is_refused(tuning: Tuning) -> None:
    file = tuning.file()
    error = refusal(lambda: tuning.create(file=file, validation_file=file))
    assert (error.status_code, error.param) == (400, "validation_file")


@pytest.mark.parametrize("model", ["gpt-4.1-mini-2025-04-14", "ft:gpt-4o:acme::abc", "o4-mini", "davinci-002"])
def test_models_of_openai_are_told_from_those_that_can_be_trained(tuning: Tuning, model: str) -> None:
    error = refusal(lambda: tuning.create(model=model))
    assert (error.status_code, error.code, error.param) == (400, "model_not_available", "model")
    for instead in (model, "tiny-1", "folder", "ft:…"):
        assert instead in error.message


@pytest.mark.parametrize("model", ["rehearsal-1", "nothing", "ft:tiny-1:agentkit::12345678", "/no/such/folder"])
def test_models_that_are_not_there_are_refused(tuning: Tuning, model: str) -> None:
    error = refusal(lambda: tuning.create(model=model))
    assert (error.status_code, error.code) == (400, "model_not_available")
    assert model in error.message


def test_what_trains_has_to_be_installed() -> None:
    check_training(("json",))
    with pytest.raises(ApiError, match=r"no_torch, no_trl are not installed.*pip install .*\[train\]'") as caught:
        check_training(("json", "no_torch", "no_trl"))
    assert (caught.value.status, caught.value.code) == (400, "training_unavailable")


# -- Weights & Biases ---------------------------------------------------------------------------------------------


def test_weights_and_biases_without_a_key_is_refused(
    tuning: Tuning, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_IDENTITY_TOKEN_FILE", "WANDB_CONFIG_DIR", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    integration = {"type": "wandb", "wandb": {"project": "p"}}
    error = refusal(lambda: tuning.create(integrations=[integration]))
    assert (error.status_code, error.code, error.param) == (400, "wandb_error", "integrations")
    for way in ("wandb login", "WANDB_API_KEY", "WANDB_MODE=offline"):
        assert way in error.message


def test_weights_and_biases_is_known_where_its_library_would_look(tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path)}
    for environ in ({"WANDB_API_KEY": "k"}, {"WANDB_MODE": "offline"}, {"WANDB_IDENTITY_TOKEN_FILE": "f"}):
        check_wandb({**home, **environ})
    (tmp_path / ".netrc").write_text("machine api.wandb.ai login user password k\n")
    (tmp_path / ".netrc").chmod(0o600)
    check_wandb(home)
    with pytest.raises(ApiError, match="no API key"):
        check_wandb({**home, "WANDB_BASE_URL": "https://wandb.example"})
    (tmp_path / "broken").write_text("machine")
    with pytest.raises(ApiError, match="no API key"):
        check_wandb({**home, "NETRC": str(tmp_path / "broken")})
    (tmp_path / "settings").write_text("[default]\napi_key = k\n")
    check_wandb({**home, "NETRC": str(tmp_path / "broken"), "WANDB_CONFIG_DIR": str(tmp_path)})
