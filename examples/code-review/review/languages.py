"""What kind of file a path is, by name, suffix and first line."""

from __future__ import annotations

import posixpath
import re

SUFFIXES = {
    ".c": "c",
    ".h": "c-header",
    ".cc": "c++",
    ".cpp": "c++",
    ".cxx": "c++",
    ".hh": "c++-header",
    ".hpp": "c++-header",
    ".hxx": "c++-header",
    ".py": "python",
    ".pyi": "python",
    ".js": "javascript",
    ".mjs": "javascript",
    ".cjs": "javascript",
    ".jsx": "jsx",
    ".ts": "typescript",
    ".tsx": "typescript",
    ".sh": "shell",
    ".bash": "shell",
    ".json": "json",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".toml": "toml",
    ".md": "markdown",
    ".markdown": "markdown",
    ".rst": "text",
    ".txt": "text",
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
    ".rb": "ruby",
    ".php": "php",
    ".xml": "xml",
    ".sql": "sql",
    ".cmake": "cmake",
    ".html": "html",
    ".css": "css",
}
NAMES = {"Makefile": "make", "Dockerfile": "docker", "CMakeLists.txt": "cmake", "README": "text", "LICENSE": "text"}
INTERPRETERS = {
    "python": "python",
    "sh": "shell",
    "bash": "shell",
    "dash": "shell",
    "ksh": "shell",
    "node": "javascript",
    "ruby": "ruby",
    "php": "php",
    "perl": "perl",
}
#: Languages in which people write programs; only these can lack tests.
CODE = frozenset(
    {"c", "c-header", "c++", "c++-header", "python", "javascript", "jsx", "typescript", "shell", "go", "rust"}
    | {"java", "ruby", "php", "perl"}
)
C_FAMILY = frozenset({"c", "c-header", "c++", "c++-header"})

_SHEBANG = re.compile(rb"^#!\s*(?:/usr/bin/env\s+(?:-S\s+)?)?(?:\S*/)?([a-z]+)[\d.]*(?:\s|$)")
_TEST_DIRECTORIES = frozenset({"test", "tests", "testing", "spec", "specs", "__tests__"})
_TEST_NAME = re.compile(r"(^test_|[_.-](test|tests|spec)$|[a-z](Test|Tests|Spec)$)")
_DOC_DIRECTORIES = frozenset({"doc", "docs", "documentation", "man"})


def language_of(path: str, first_bytes: bytes = b"") -> str:
    """The language of a file, or "" if it is not known."""
    name = posixpath.basename(path)
    if name in NAMES:
        return NAMES[name]
    suffix = posixpath.splitext(name)[1].lower()
    if suffix in SUFFIXES:
        return SUFFIXES[suffix]
    match = _SHEBANG.match(first_bytes[:200])
    return INTERPRETERS.get(match.group(1).decode(), "") if match else ""


def is_test(path: str) -> bool:
    """Whether a path looks like a test: by its folder or by its name."""
    *folders, name = path.split("/")
    return any(folder in _TEST_DIRECTORIES for folder in folders) or bool(_TEST_NAME.search(stem_of(name)))


def is_documentation(path: str, language: str) -> bool:
    """Whether people read the file to learn about the program."""
    folders = path.split("/")[:-1]
    return language in ("markdown", "text") or any(folder in _DOC_DIRECTORIES for folder in folders)


def stem_of(path: str) -> str:
    """The file name without its last suffix: `src/foo.test.ts` → `foo.test`."""
    return posixpath.splitext(posixpath.basename(path))[0]


def subject_of(path: str) -> str:
    """The name of what a test tests: `foo_test`, `test_foo`, `foo.spec`, `FooTest` → `foo`, compared in lower case."""
    stem = re.sub(r"^test_", "", stem_of(path))
    stem = re.sub(r"[_.-](test|tests|spec)$", "", stem)
    return re.sub(r"(Test|Tests|Spec)$", "", stem).lower()
