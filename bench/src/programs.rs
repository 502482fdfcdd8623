//! Looks for every program file an experiment names, before anything is started.
//!
//! Apart from the lab because a missing build should be said at once, by name, with the command that mends it. Invariant: what
//! passes here can be executed by the lab as far as the file system tells.

use std::path::{Path, PathBuf};

use lambda_lab::experiment::{Experiment, Function, Program};

/// A program the experiment names and the machine does not have.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// A crate of this workspace that has not been built.
    #[error(
        "{owner}: its program {path} is missing; run `make build` first, or name the folder with --functions-dir"
    )]
    NotBuilt {
        /// The function, as in `variant "baseline"`.
        owner: String,
        /// Where it should be.
        path: PathBuf,
    },
    /// A command's program that is nowhere.
    #[error(
        "{owner}: its program {path} is missing; build it (`make build` builds this workspace's), or mend command and dir in the experiment file"
    )]
    NoCommand {
        /// The function.
        owner: String,
        /// What was looked for.
        path: PathBuf,
    },
    /// The folder a command should run in.
    #[error("{owner}: its folder {dir} is missing; mend dir in the experiment file")]
    NoDir {
        /// The function.
        owner: String,
        /// The folder.
        dir: PathBuf,
    },
}

/// Checks that each function of `experiment`, and each of their extensions, has its program.
///
/// # Errors
/// The first that is missing: whose, where it was looked for and what to do.
pub fn check(experiment: &Experiment, functions_dir: &Path) -> Result<(), ProgramError> {
    let search = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&search).collect();
    let setup = experiment.setup.iter().map(|function| ("setup function", function));
    let variants = experiment.variants.iter().map(|function| ("variant", function));
    for (kind, function) in setup.chain(variants) {
        let owner = format!("{kind} {:?}", function.name);
        check_one(&owner, &function.program, function.program.runtime_command(functions_dir).0, &folders)?;
        for extension in &function.extensions {
            let owner = format!("{owner}, extension {:?}", extension.base_name());
            check_one(&owner, extension, extension.extension_command(functions_dir).0, &folders)?;
        }
    }
    Ok(())
}

fn check_one(owner: &str, program: &Program, path: PathBuf, search: &[PathBuf]) -> Result<(), ProgramError> {
    let owner = owner.to_owned();
    match program {
        Program::Package { .. } if !path.is_file() => Err(ProgramError::NotBuilt { owner, path }),
        Program::Command { dir, .. } if !dir.is_dir() => Err(ProgramError::NoDir { owner, dir: dir.clone() }),
        Program::Command { .. } if !exists(&path, search) => Err(ProgramError::NoCommand { owner, path }),
        Program::Package { .. } | Program::Command { .. } => Ok(()),
    }
}

fn exists(program: &Path, search: &[PathBuf]) -> bool {
    program.is_file() || (is_bare_word(program) && search.iter().any(|folder| folder.join(program).is_file()))
}

fn is_bare_word(program: &Path) -> bool {
    program.components().count() == 1 && program.is_relative()
}

/// The file that is a function's package, unless its command is an interpreter found on `PATH`.
pub fn package_file(function: &Function, functions_dir: &Path) -> Option<PathBuf> {
    let (path, _) = function.program.runtime_command(functions_dir);
    (!is_bare_word(&path)).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "[experiment]\nname = \"x\"\ndescription = \"x\"\n";

    fn refusal(functions: &str, dir: &Path) -> String {
        let experiment = Experiment::parse(&format!("{HEAD}{functions}"), &dir.join("x.toml")).unwrap();
        check(&experiment, &dir.join("built")).unwrap_err().to_string()
    }

    fn folder_with_built(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::create_dir_all(folder.path().join("built").join(name)).unwrap();
            std::fs::write(folder.path().join("built").join(name).join("bootstrap"), "x").unwrap();
        }
        folder
    }

    #[test]
    fn an_unbuilt_variant_is_named_with_its_path_and_the_mend() {
        let folder = folder_with_built(&["baseline"]);
        let variants = "[[variant]]\nname = \"a\"\npackage = \"baseline\"\nmemory_mb = 256\ntimeout_s = 3\n\
                        [[variant]]\nname = \"b\"\npackage = \"optimized\"\nmemory_mb = 256\ntimeout_s = 3\n";
        let message = refusal(variants, folder.path());
        let path = folder.path().join("built/optimized/bootstrap");
        assert!(message.contains("variant \"b\""), "{message}");
        assert!(message.contains(path.to_str().unwrap()), "{message}");
        assert!(message.contains("`make build`"), "{message}");
    }

    #[test]
    fn setup_functions_and_extensions_are_looked_for_too() {
        let folder = folder_with_built(&["baseline"]);
        let setup = "[[setup]]\nname = \"fill\"\npackage = \"populate\"\nmemory_mb = 256\ntimeout_s = 3\n";
        let variant = "[[variant]]\nname = \"a\"\npackage = \"baseline\"\nmemory_mb = 256\ntimeout_s = 3\n";
        let extension = "[[variant.extensions]]\npackage = \"parameters-extension\"\n";
        let message = refusal(&format!("{setup}{variant}"), folder.path());
        assert!(message.contains("setup function \"fill\""), "{message}");
        let message = refusal(&format!("{variant}{extension}"), folder.path());
        assert!(message.contains("extension \"parameters-extension\""), "{message}");
    }

    #[test]
    fn commands_are_found_in_their_folder_or_on_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let variant = |command: &str, dir: &str| {
            format!(
                "[[variant]]\nname = \"a\"\ncommand = [\"{command}\"]\ndir = \"{dir}\"\nmemory_mb = 256\ntimeout_s = 3\n"
            )
        };
        assert!(refusal(&variant("no-such-program", "."), folder.path()).contains("no-such-program"));
        assert!(refusal(&variant("./run", "."), folder.path()).contains("run is missing"));
        assert!(refusal(&variant("sh", "nowhere"), folder.path()).contains("nowhere is missing"));
        let text = format!("{HEAD}{}", variant("sh", "."));
        let experiment = Experiment::parse(&text, &folder.path().join("x.toml")).unwrap();
        check(&experiment, Path::new("unused")).unwrap();
        assert_eq!(package_file(&experiment.variants[0], Path::new("unused")), None);
    }
}
