"""What a site registers is found by its name."""

import pytest
from django.apps import apps

from wagtail_lifecycle import registry as registries
from wagtail_lifecycle.apps import import_lifecycle_modules
from wagtail_lifecycle.exceptions import AlreadyRegistered, LifecycleError, UnknownName
from wagtail_lifecycle.registry import Registry


class Readers:
    name, label = "readers", "Readers"


class Writers:
    name, label = "writers", "Writers"


class OtherReaders:
    name, label = "readers", "Other readers"


@pytest.fixture
def registry():
    return Registry("audience")


def test_a_registered_class_is_found_by_its_name(registry):
    assert registry.register(Readers) is Readers
    assert registry.get("readers") is Readers
    assert "readers" in registry
    assert "writers" not in registry


def test_classes_keep_the_order_of_registration(registry):
    registry.register(Writers)
    registry.register(Readers)
    assert list(registry) == [Writers, Readers]
    assert registry.names() == ["writers", "readers"]
    assert registry.choices() == [("writers", "Writers"), ("readers", "Readers")]


def test_an_unknown_name_lists_the_known_ones(registry):
    registry.register(Writers)
    registry.register(Readers)
    with pytest.raises(UnknownName, match=r"No audience is called 'reader' \(known: readers, writers\)"):
        registry.get("reader")


def test_an_empty_registry_says_that_it_knows_none(registry):
    with pytest.raises(UnknownName, match="known: none"):
        registry.get("readers")


def test_an_unknown_name_can_be_caught_as_a_lookup_error_or_as_ours(registry):
    for expected in (LookupError, LifecycleError):
        with pytest.raises(expected):
            registry.get("readers")


def test_a_second_class_of_the_same_name_is_refused(registry):
    registry.register(Readers)
    with pytest.raises(AlreadyRegistered, match="OtherReaders wants the audience name 'readers'"):
        registry.register(OtherReaders)
    assert registry.get("readers") is Readers


def test_the_same_class_may_be_registered_again(registry):
    registry.register(Readers)
    registry.register(Readers)
    assert registry.names() == ["readers"]


def test_a_temporary_registration_ends_with_its_block(registry):
    registry.register(Readers)
    with registry.temporarily(Writers):
        assert registry.names() == ["readers", "writers"]
    assert registry.names() == ["readers"]


def test_a_temporary_registration_ends_also_when_it_fails(registry):
    registry.register(Readers)
    with pytest.raises(AlreadyRegistered), registry.temporarily(Writers, OtherReaders):
        pass
    assert registry.names() == ["readers"]


def test_every_app_may_have_a_lifecycle_module(tmp_path, monkeypatch):
    package = tmp_path / "members_of_a_club"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "lifecycle.py").write_text(
        "from wagtail_lifecycle.registry import register_data_source\n"
        "@register_data_source\n"
        "class Visits:\n"
        "    name, label = 'visits_of_the_club', 'Visits'\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    config = apps.get_app_config("wagtail_lifecycle").create("members_of_a_club")
    monkeypatch.setattr(apps, "get_app_configs", lambda: [config])
    with registries.data_sources.temporarily():
        import_lifecycle_modules()
        assert "visits_of_the_club" in registries.data_sources
    assert "visits_of_the_club" not in registries.data_sources
