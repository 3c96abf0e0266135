//! `read`, `write`, `edit`, `apply_patch`.

use super::{Entry, integer, object, text};

pub(super) const TABLE: &[Entry] = &[
    Entry {
        name: "read",
        summary: "read a file or look at a picture",
        description: "Reads a text file, or shows a picture (PNG, JPEG, GIF, WebP). A text is cut at 2000 lines or 50 KiB; the result then says with which \
                      `offset` to go on. Relative paths start in the workspace.",
        schema: || {
            object(
                &["path"],
                &[
                    ("path", text("The file")),
                    ("offset", integer("First line, counted from 1", 1)),
                    ("limit", integer("Most lines", 1)),
                ],
            )
        },
    },
    Entry {
        name: "edit",
        summary: "replace one piece of a file",
        description: "Replaces one piece of a text file. `oldText` must stand in the file exactly once, with its spaces and line breaks; take more of its \
                      surroundings when it stands there more often.",
        schema: || {
            object(
                &["path", "oldText", "newText"],
                &[
                    ("path", text("The file")),
                    ("oldText", text("The piece as it is")),
                    ("newText", text("What takes its place")),
                ],
            )
        },
    },
    Entry {
        name: "write",
        summary: "write a whole file",
        description: "Writes a whole file. What was in it is replaced; missing folders are made. For a small change `edit` is safer.",
        schema: || {
            object(
                &["path", "content"],
                &[("path", text("The file")), ("content", text("The whole new content"))],
            )
        },
    },
    Entry {
        name: "apply_patch",
        summary: "change several files at once",
        description: "Changes several files with one patch. It begins with `*** Begin Patch` and ends with `*** End Patch`; between them sections \
                      `*** Add File: PATH` (lines with `+`), `*** Delete File: PATH`, `*** Update File: PATH` with hunks after `@@` (lines with ` `, `-`, \
                      `+`), optionally `*** Move to: PATH` and `*** End of File`.",
        schema: || object(&["input"], &[("input", text("The patch"))]),
    },
];
