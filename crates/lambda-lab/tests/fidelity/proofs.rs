//! The names of all tests and conformance cases, from their sources.
//!
//! Apart from the table that names them. Sources are read by line, which rustfmt makes safe: an attribute begins its line, and a
//! module's braces stand at the margin. Invariant: a name found here is a test that the runner does not ignore.

use std::path::{Path, PathBuf};

/// `target::module::test` of every test in the workspace, with `crate/` before those of crates other than lambda-lab.
pub(crate) fn tests_of_workspace(workspace: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let packages = entries(&workspace.join("crates")).into_iter().chain([workspace.join("bench")]);
    for package in packages {
        let package_name = file_name(&package);
        let prefix = if package_name == "lambda-lab" { String::new() } else { format!("{package_name}/") };
        for root in ["src", "tests"] {
            for file in rust_files(&package.join(root)) {
                let module = module_of(file.strip_prefix(package.join(root)).unwrap());
                let source = std::fs::read_to_string(&file).unwrap();
                names.extend(tests_of_file(&source, &module).iter().map(|name| format!("{prefix}{name}")));
            }
        }
    }
    names
}

/// `conformance::area::case` of every case in the files of `folder`; none where there is no such folder.
pub(crate) fn cases_of_conformance(folder: &Path) -> Vec<String> {
    let files = rust_files(folder);
    files.iter().flat_map(|file| cases_of_file(&std::fs::read_to_string(file).unwrap())).collect()
}

/// The tests of one file whose module is `module`.
pub(crate) fn tests_of_file(source: &str, module: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    let mut inline: Option<&str> = None;
    // The attributes before an item.
    let mut attributes: Vec<&str> = Vec::new();
    for line in source.lines() {
        let code = line.trim();
        if let Some(name) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(" {")) {
            inline = Some(name);
        } else if line == "}" {
            inline = None;
        }
        if code.starts_with("#[") {
            attributes.push(code);
            continue;
        }
        let function = code.strip_prefix("async ").unwrap_or(code).strip_prefix("fn ");
        if let Some((name, _)) = function.and_then(|rest| rest.split_once('(')) {
            let path = module.iter().map(String::as_str).chain(inline).chain([name]);
            if is_test(&attributes) {
                names.push(path.collect::<Vec<_>>().join("::"));
            }
        }
        attributes.clear();
    }
    names
}

fn is_test(attributes: &[&str]) -> bool {
    let has = |begin: &str| attributes.iter().any(|attribute| attribute.starts_with(begin));
    (has("#[test]") || has("#[tokio::test]") || has("#[tokio::test(")) && !has("#[ignore")
}

/// The cases that one file declares by `case!(area, behaviour)`.
pub(crate) fn cases_of_file(source: &str) -> Vec<String> {
    let declared = source.lines().filter_map(|line| line.trim().strip_prefix("case!("));
    let named = declared.filter_map(|rest| rest.split_once(')')?.0.split_once(','));
    named.map(|(area, behaviour)| format!("conformance::{}::{}", area.trim(), behaviour.trim())).collect()
}

/// `a/b.rs` is `a::b`, `a/mod.rs` and `a/main.rs` are `a`.
fn module_of(file: &Path) -> Vec<String> {
    let mut module: Vec<_> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| matches!(last.as_str(), "mod" | "main" | "lib")) {
        module.pop();
    }
    module
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in entries(folder) {
        if entry.is_dir() {
            files.extend(rust_files(&entry));
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            files.push(entry);
        }
    }
    files
}

/// What is in `folder`, in order; nothing where it is not there.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
