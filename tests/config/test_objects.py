"""Durable Objects in stack files: what is right, and what `check` says of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferstack.author.check import check

HEAD = "environment: dev\ntarget: local\nworkers:\n"
OTHER = "  other: { source: w.js, compatibility_date: '2026-06-01', objects: { X: { class_name: Room } } }\n"


def said(root: Path, objects: str, code: str, origin: str = "source: app.ts", more: str = OTHER) -> str:
    (root / "stacks").mkdir()
    worker = f"  w: {{ {origin}, compatibility_date: '2026-06-01', objects: {objects} }}\n"
    (root / "stacks" / "s.yaml").write_text(HEAD + worker + more)
    (root / "app.ts").write_text(code)
    (root / "w.js").write_text("export class Room {}\nexport default {};\n")
    (root / "room.ts").write_text("export class Room {}\n")
    (root / "site").mkdir()
    return check(["s"], root).show("text")


@pytest.mark.parametrize(
    "code",
    [
        "export class Room {}",
        "export abstract class Base {}\nexport class Room extends Base {}",
        "class Room {}\nexport { Room };",
        "class A {}\nexport { A as Room, };",
        'export { Room } from "./room";',
        'export * from "./room";',
        "export const Room = class {};",
    ],
)
def test_a_class_is_seen_however_it_is_exported(code: str, tmp_path: Path) -> None:
    assert said(tmp_path, "{ ROOMS: { class_name: Room } }", f"{code}\nexport default {{}};\n") == "s: ok"


@pytest.mark.parametrize(
    "code", ["class Room {}", "// export class Room {}", "export class Rooms {}", "export type { Rooms } from './room'"]
)
def test_a_class_that_is_not_exported_is_a_finding(code: str, tmp_path: Path) -> None:
    text = said(tmp_path, "{ ROOMS: { class_name: Room } }", f"{code}\nexport default {{}};\n")
    assert "error[IS110]: `app.ts` does not export the class `Room`" in text


@pytest.mark.parametrize(
    ("objects", "problem"),
    [
        ("{ A: { worker: othr, class_name: Room } }", "`othr` is not declared under `workers:`; did you mean `other`?"),
        ("{ A: { worker: other, class_name: Rom } }", "Worker `other` has no class `Rom` under its `objects`; did you"),
        ("{ A: { class_name: Room, transferred_from: x } }", "`x` is not declared under `workers:`"),
        ("{ A: { worker: other, class_name: Room, storage: sqlite } }", "`storage` is said where the class is"),
        (
            "{ A: { class_name: Room, deleted: true, renamed_from: B } }",
            "a class is `deleted`, or it comes from another",
        ),
        (
            "{ A: { class_name: Room }, B: { class_name: Room, deleted: true } }",
            "`objects` says two things of the class",
        ),
        ("{ A: { class_name: a-b } }", "error["),
        ("{ A: { class: Room } }", "unknown key `class`; did you mean `class_name`?"),
    ],
)
def test_what_does_not_fit_together_is_told(objects: str, problem: str, tmp_path: Path) -> None:
    assert problem in said(tmp_path, objects, "export class Room {}\nexport default {};\n")


def test_a_name_in_env_is_one_thing(tmp_path: Path) -> None:
    origin = "source: app.ts, vars: { ROOMS: x }"
    text = said(tmp_path, "{ ROOMS: { class_name: Room } }", "export class Room {}\nexport default {};\n", origin)
    assert "`ROOMS` stands under `objects` and under `vars`" in text


def test_code_that_reads_a_class_which_is_deleted_is_told(tmp_path: Path) -> None:
    code = "export default { fetch: (request, env) => env.ROOMS.getByName('a').fetch(request) };\n"
    text = said(tmp_path, "{ ROOMS: { class_name: Room, deleted: true } }", code)
    assert "nothing binds `env.ROOMS`" in text


def test_static_assets_alone_have_no_objects(tmp_path: Path) -> None:
    text = said(tmp_path, "{ ROOMS: { class_name: Room } }", "", "assets: { directory: site }")
    assert "error[IS104]: `objects` is for code" in text
    assert "IS110" not in text


def test_workers_that_bind_each_others_classes_are_a_circle(tmp_path: Path) -> None:
    more = OTHER.replace("{ X:", "{ Y: { worker: w, class_name: Room }, X:")
    objects = "{ A: { class_name: Room }, B: { worker: other, class_name: Room } }"
    text = said(tmp_path, objects, "export class Room {}\nexport default {};\n", more=more)
    assert "error[IS061]" in text


def test_traffic_is_expected_of_workers_with_classes(tmp_path: Path) -> None:
    more = OTHER + "expect: { objects: { w: { requests: 1 }, othe: { requests: 1 } } }\n"
    text = said(tmp_path, "{ ROOMS: { class_name: Room } }", "export class Room {}\nexport default {};\n", more=more)
    assert "Worker `othe` has no classes of its own under `objects:`; did you mean `other`?" in text
