//! SQL is text with a name: each statement of the store opens with a comment that says where it stands in the code.

use std::collections::BTreeMap;

use crate::source::{self, File};

/// Files whose statements have no names, and why.
const NAMELESS: [(&str, &str); 2] = [
    ("src/store/migrate.rs", "asks a file what it is, before it is known to hold our tables"),
    ("src/store/writer.rs", "tidies the whole file at the end"),
];

/// The name of a statement, the function around it, and its line.
struct Named {
    module: String,
    name: String,
    function: String,
    line: usize,
}

/// Every `-- module::name` in the texts of a file, with the function it stands in.
fn named(file: &File) -> Vec<Named> {
    let mut function = String::new();
    let mut found = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        if let Some((before, after)) = line.split_once("fn ")
            && before
                .trim_start()
                .split(' ')
                .all(|word| ["", "const", "async"].contains(&word) || word.starts_with("pub"))
        {
            function = after.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        }
        for (at, _) in line.match_indices("\"-- ") {
            let rest = &line[at + 4..];
            let text: String = rest.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | ':')).collect();
            let (module, name) = text.split_once("::").unwrap_or(("", &text));
            found.push(Named {
                module: module.to_owned(),
                name: name.to_owned(),
                function: function.clone(),
                line: number + 1,
            });
        }
    }
    found
}

fn store() -> Vec<File> {
    source::rust().into_iter().filter(|file| file.path.starts_with("src/store/")).collect()
}

#[test]
fn names_say_where_a_statement_stands() {
    let mut wrong = Vec::new();
    let mut seen = BTreeMap::new();
    for file in store() {
        let module = file.path.trim_start_matches("src/store/").trim_end_matches(".rs").replace("/", "::");
        let statements = named(&file);
        for statement in &statements {
            let place = format!("{}:{}", file.path, statement.line);
            if statement.module != module {
                wrong.push(format!("{place}: `{}::` should be `{module}::`", statement.module));
            }
            // A function with several statements names each after what it does.
            let alone = statements.iter().filter(|other| other.function == statement.function).count() == 1;
            if alone && statement.name != statement.function {
                wrong.push(format!("{place}: `{}` stands in `{}`", statement.name, statement.function));
            }
            if let Some(other) = seen.insert(format!("{module}::{}", statement.name), place.clone()) {
                wrong.push(format!("{place}: `{}` is the name of {other} too", statement.name));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen.len() > 10, "statements are found at all: {}", seen.len());
}

#[test]
fn every_statement_has_a_name() {
    let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", "REPLACE "];
    let mut wrong = Vec::new();
    for file in store().iter().filter(|file| NAMELESS.iter().all(|(path, _)| *path != file.path)) {
        let tests = file.text.find("#[cfg(test)]").unwrap_or(file.text.len());
        for (number, line) in file.text[..tests].lines().enumerate() {
            if verbs.iter().any(|verb| line.contains(&format!("\"{verb}"))) {
                wrong.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "statements without a name:\n{}", wrong.join("\n"));
}
