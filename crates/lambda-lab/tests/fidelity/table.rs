//! docs/fidelity.toml, read and checked.
//!
//! Apart from the page so that a row that owes something is named before it is rendered. Invariant: in a parsed table every yes of
//! ours has proofs, every partly and no says what it means, and every note is used.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    /// The day the peers' sources were read.
    pub(crate) read_on: String,
    pub(crate) peer: Vec<Peer>,
    pub(crate) note: BTreeMap<String, String>,
    pub(crate) group: Vec<Group>,
    #[serde(default)]
    pub(crate) unverified: Vec<Unverified>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peer {
    pub(crate) name: String,
    pub(crate) about: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) title: String,
    pub(crate) row: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) behaviour: String,
    pub(crate) lab: Word,
    /// What a verdict must be read without; for a yes, what bounds it.
    pub(crate) means: Option<String>,
    #[serde(default)]
    pub(crate) proofs: Vec<String>,
    pub(crate) peers: Vec<Cell>,
}

/// A fact that was never held against AWS.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Unverified {
    pub(crate) fact: String,
    pub(crate) here: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Word {
    Yes,
    Partly,
    No,
    Unknown,
}

/// A peer's word, and the key of its note: `no^one-sandbox`.
#[derive(Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Cell {
    pub(crate) word: Word,
    pub(crate) note: Option<String>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    #[error("docs/fidelity.toml: {0}")]
    Toml(#[from] toml::de::Error),
    #[error("docs/fidelity.toml: {0}")]
    Row(String),
}

impl TryFrom<String> for Cell {
    type Error = toml::de::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (word, note) =
            text.split_once('^').map_or((text.as_str(), None), |(word, note)| (word, Some(note)));
        let word = Word::deserialize(serde::de::value::StrDeserializer::new(word))?;
        Ok(Self { word, note: note.map(str::to_owned) })
    }
}

impl Table {
    /// Reads and checks the table.
    pub(crate) fn parse(text: &str) -> Result<Self, TableError> {
        let table: Self = toml::from_str(text)?;
        table.check().map_err(TableError::Row)?;
        Ok(table)
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.group.iter().flat_map(|group| &group.row)
    }

    /// All names of tests and cases in it.
    pub(crate) fn proofs(&self) -> impl Iterator<Item = &str> {
        self.rows().flat_map(|row| &row.proofs).map(String::as_str)
    }

    /// The keys of notes in the order of their first use.
    pub(crate) fn notes_in_order(&self) -> Vec<&str> {
        let mut keys = Vec::new();
        for key in self.rows().flat_map(|row| &row.peers).filter_map(|cell| cell.note.as_deref()) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    fn check(&self) -> Result<(), String> {
        for row in self.rows() {
            row.check(self.peer.len()).map_err(|complaint| format!("{}: {complaint}", row.behaviour))?;
        }
        let used = self.notes_in_order();
        if let Some(key) = used.iter().find(|key| !self.note.contains_key(**key)) {
            return Err(format!("there is no note `{key}`; add it to [note]"));
        }
        match self.note.keys().find(|key| !used.contains(&key.as_str())) {
            Some(key) => Err(format!("the note `{key}` is used by no cell; remove it")),
            None => Ok(()),
        }
    }
}

impl Row {
    fn check(&self, peers: usize) -> Result<(), String> {
        if self.peers.len() != peers {
            return Err(format!("{} cells for {peers} peers", self.peers.len()));
        }
        match self.lab {
            Word::Yes if self.proofs.is_empty() => Err("a yes names its proofs".to_owned()),
            Word::Partly | Word::No if self.means.is_none() => {
                Err("a partly or a no says in `means` what follows for a verdict".to_owned())
            }
            Word::Unknown => Err("what the lab does is known: yes, partly or no".to_owned()),
            Word::Yes | Word::Partly | Word::No => Ok(()),
        }
    }
}
