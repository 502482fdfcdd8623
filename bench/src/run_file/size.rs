//! What a package weighs.
//!
//! Apart from the variants because several of them may be one program. Invariant: code, data and the rest of a program's file add up
//! to its size, to the byte.

use serde::{Deserialize, Serialize};

/// One program, as `make size` takes it apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackageSize {
    /// The variants that it is the program of.
    pub variants: Vec<String>,
    /// The program's name.
    pub program: String,
    /// The zipped package.
    pub zipped_bytes: u64,
    /// The program's file as it is shipped.
    pub file_bytes: u64,
    /// By crate, the greatest first; what the linker's map gives to no crate stands under names in brackets.
    pub crates: Vec<CrateSize>,
    /// What of the file is neither code nor data of a crate: headers, relocations, unwinding tables, symbols.
    pub other_bytes: u64,
}

/// What one crate adds to a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CrateSize {
    /// Its name as in the code; `[c] aws-lc`, say, for a library that is not Rust, `[no crate]` for what has no name.
    pub name: String,
    /// Machine code.
    pub code_bytes: u64,
    /// Constants and variables that are in the file.
    pub data_bytes: u64,
}
