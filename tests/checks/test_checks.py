"""The rules that the sources and the kernel's image must keep, and that breaking one is found."""

import shutil
import subprocess
import sys

import pytest

from conftest import KERNEL, PROBE_KERNEL, ROOT

sys.path.insert(0, str(ROOT / "tools"))
import check_layers  # noqa: E402
import shared_objects  # noqa: E402

ALLOWED = ROOT / "tests" / "shared.allow"


def test_sources_keep_the_layers():
    assert check_layers.check_sources(ROOT) == []


def test_every_exception_is_needed(monkeypatch):
    """Without its exception each is found."""
    exceptions = check_layers.EXCEPTIONS
    monkeypatch.setattr(check_layers, "EXCEPTIONS", {})
    for path, name in exceptions:
        assert list(check_layers.check_file(ROOT, path)), (path, name)


def test_kernel_never_opens_user_memory(built):
    assert check_layers.check_kernel(KERNEL) == []
    assert check_layers.check_kernel(PROBE_KERNEL) == []


def test_shared_objects_are_those_allowed(built):
    objects = shared_objects.shared_objects(KERNEL)
    assert shared_objects.compare(objects, shared_objects.read_allowed(ALLOWED)) == []


def test_shared_section_holds_nothing_without_a_name(built):
    """What the objects do not fill is alignment."""
    filled = sum(size for _, size in shared_objects.shared_objects(KERNEL))
    assert 0 <= shared_objects.section_bytes(KERNEL) - filled < 2 * 4096


def test_list_of_shared_objects_is_printed(built):
    tool = ROOT / "tools" / "shared_objects.py"
    done = subprocess.run([sys.executable, tool, KERNEL, ALLOWED], stdout=subprocess.PIPE, text=True)
    *objects, total = done.stdout.splitlines()
    assert done.returncode == 0
    assert total == f"total {sum(int(line.split()[1]) for line in objects)}"


# --- what is planted is found -------------------------------------------------------------------------

PLANTED = [
    ("abi/process.h", '#include "lib/string.h"', "which is not below it"),
    ("lib/cpio.c", '#include "kernel/kernel.h"', "which is not below it"),
    ("kernel/home.c", '#include "arch/x86_64/kernel/apic.h"', "which is not below it"),
    ("kernel/shared/frame.c", '#include "arch/x86_64/kernel/paging.h"', "which is not below it"),
    ("kernel/kernel.h", '#include "runtime/uthread.h"', "which is not below it"),
    ("arch/arch.h", '#include "kernel/kernel.h"', "which is not below it"),
    ("arch/x86_64/kernel/trap.c", '#include "runtime/call.h"', "which is not below it"),
    ("arch/x86_64/user/cpu.c", '#include "kernel/kernel.h"', "which is not below it"),
    ("runtime/call.c", '#include "kernel/kernel.h"', "which is not below it"),
    ("bin/hello.c", '#include "runtime/uthread.h"', "which is not below it"),
    ("bin/hello.c", '#include "nowhere.h"', "in none of the folders"),
    ("kernel/home.c", "#ifdef __x86_64__\n#endif", "conditional on the processor"),
    ("runtime/call.c", "#if defined(__aarch64__)\n#endif", "conditional on the processor"),
    ("kernel/home.c", '__asm__ volatile("nop");', "assembly in portable code"),
    ("kernel/home.c", "int x = __atomic_load_n(&y, __ATOMIC_RELAXED);", "atomic outside"),
    ("kernel/cores.c", "__sync_synchronize();", "atomic outside"),
    ("kernel/cores.c", "_Atomic int count;", "atomic outside"),
    ("kernel/cores.c", "#include <stdatomic.h>", "atomic outside"),
    ("kernel/cores.c", '#include "kernel/shared/lock.h"', "lock outside"),
    ("kernel/cores.c", "spin_lock(&lock);", "lock outside"),
    ("arch/x86_64/kernel/trap.c", '__asm__("lock; incl %0" : "+m"(x));', "lock outside"),
    ("arch/x86_64/kernel/trap.c", '__asm__("lock incl %0" : "+m"(x));', "lock outside"),
    ("arch/x86_64/kernel/trap.c", '__asm__("nop\\n\\tlock addl $1, %0" : "+m"(x));', "lock outside"),
    ("arch/x86_64/kernel/trap.c", '__asm__("xchg %0, %1" : "+m"(x), "+r"(y));', "lock outside"),
    ("arch/x86_64/kernel/trap.c", '__asm__("mfence");', "fence outside"),
    ("arch/x86_64/boot/entry.S", "    lock incl count", "lock outside"),
    ("arch/x86_64/kernel/entry_paths.S", "    lock cmpxchg %rax, (%rdi)", "lock outside"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the sources, to be spoilt."""
    copy = tmp_path_factory.mktemp("tree")
    for top in ("abi", "lib", "arch", "kernel", "runtime", "bin", "bench"):
        shutil.copytree(ROOT / top, copy / top)
    return copy


@pytest.mark.parametrize("path, line, sentence", PLANTED)
def test_planted_violation_is_found(tree, path, line, sentence):
    file = tree / path
    sound = file.read_text()
    try:
        file.write_text(sound + line + "\n")
        found = check_layers.check_sources(tree)
    finally:
        file.write_text(sound)
    assert any(violation.startswith(path + ":") and sentence in violation for violation in found), found


@pytest.mark.parametrize("line", [
    "/* a lock and an __atomic_load_n in a comment */",
    'log_line("the lock is held by core %u", core);',
    "unsigned block; unsigned clock;",
    "struct context *context; /* #ifdef __x86_64__ */",
])
def test_innocent_line_is_let_pass(tree, line):
    file = tree / "kernel/home.c"
    sound = file.read_text()
    try:
        file.write_text(sound + line + "\n")
        assert check_layers.check_sources(tree) == []
    finally:
        file.write_text(sound)


def assemble(folder, text):
    (folder / "planted.s").write_text(text)
    subprocess.run(["as", "-o", folder / "planted.o", folder / "planted.s"], check=True)
    return folder / "planted.o"


def test_planted_stac_is_found(tmp_path):
    assert len(check_layers.check_kernel(assemble(tmp_path, ".text\nstac\nclac\n"))) == 1


def shared_object(name, size):
    return f'.section .shared, "aw"\n.type {name}, @object\n.size {name}, {size}\n{name}: .skip {size}\n'


def test_planted_shared_object_is_found(tmp_path):
    planted = assemble(tmp_path, shared_object("stopping", 4) + shared_object("surprise", 8))
    objects = shared_objects.shared_objects(planted)
    assert objects == [("surprise", 8), ("stopping", 4)]
    allowed = {"stopping": (4, "known")}
    assert shared_objects.compare(objects, allowed) == ["surprise (8 bytes) is shared and not in the list"]


def test_shared_object_that_grew_is_found(tmp_path):
    objects = shared_objects.shared_objects(assemble(tmp_path, shared_object("stopping", 16)))
    assert shared_objects.compare(objects, {"stopping": (4, "known")}) == \
        ["stopping has 16 bytes; the list allows 4"]


def test_shared_object_that_is_gone_is_found():
    assert shared_objects.compare([], {"stopping": (4, "known")}) == ["stopping is in the list and not shared"]


def test_list_needs_reasons(tmp_path):
    (tmp_path / "allow").write_text("stopping 4\n")
    with pytest.raises(ValueError):
        shared_objects.read_allowed(tmp_path / "allow")
