//! The steps of several traces in one order.
//!
//! Apart from the comparison because two traces and two thousand are laid over each other by the same rule: steps meet if the
//! names on the way down to them are the same; of one name under one parent, the first meets the first, the second the second.
//! Invariant: every span of every trace has exactly one place, and a parent stands before its children.

use std::collections::HashMap;

use crate::traces::span::Span;

/// A name, and how many of the same name stood before it under the same parent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    name: String,
    earlier: usize,
}

/// The way down to a step; empty for the root.
pub type Path = Vec<Key>;

/// Steps of the traces added so far.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    children: Vec<(Key, Outline)>,
}

impl Outline {
    /// Lays `span`'s children over what is there. What is new comes after what it followed in its own trace.
    pub fn add(&mut self, span: &Span) {
        let mut cursor = 0;
        for (key, child) in keyed(span) {
            let place = match self.children.iter().position(|(known, _)| *known == key) {
                Some(place) => place,
                None => {
                    self.children.insert(cursor, (key, Self::default()));
                    cursor
                }
            };
            self.children[place].1.add(child);
            cursor = place + 1;
        }
    }

    /// The way to every step, parents first, the root's first of all.
    pub fn paths(&self) -> Vec<Path> {
        let mut paths = Vec::new();
        self.collect(&mut Path::new(), &mut paths);
        paths
    }

    fn collect(&self, way: &mut Path, into: &mut Vec<Path>) {
        into.push(way.clone());
        for (key, below) in &self.children {
            way.push(key.clone());
            below.collect(way, into);
            way.pop();
        }
    }
}

/// Every span of `root` by its way down.
pub fn by_path(root: &Span) -> HashMap<Path, &Span> {
    let mut all = HashMap::new();
    let mut open = vec![(Path::new(), root)];
    while let Some((way, span)) = open.pop() {
        for (key, child) in keyed(span) {
            let mut below = way.clone();
            below.push(key);
            open.push((below, child));
        }
        all.insert(way, span);
    }
    all
}

fn keyed(span: &Span) -> impl Iterator<Item = (Key, &Span)> {
    let mut seen: HashMap<&str, usize> = HashMap::new();
    span.children.iter().map(move |child| {
        let count = seen.entry(&child.name).or_default();
        let earlier = std::mem::replace(count, *count + 1);
        (Key { name: child.name.clone(), earlier }, child)
    })
}

/// The last part of a path, as a row is labelled; `root` for the root.
pub fn label(path: &[Key], root: &str) -> String {
    path.last().map_or_else(|| root.to_owned(), Key::to_string)
}

/// A path in words: `handler > db.query`; `root` for the root.
pub fn words(path: &[Key], root: &str) -> String {
    match path {
        [] => root.to_owned(),
        _ => path.iter().map(Key::to_string).collect::<Vec<_>>().join(" > "),
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.earlier {
            0 => formatter.write_str(&self.name),
            earlier => write!(formatter, "{} #{}", self.name, earlier + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(name: &str, children: Vec<Span>) -> Span {
        Span { name: name.into(), children, ..Span::default() }
    }

    fn leaves(names: &[&str]) -> Vec<Span> {
        names.iter().map(|name| span(name, vec![])).collect()
    }

    #[test]
    fn what_is_new_stands_where_its_own_trace_had_it() {
        let from = span(
            "f",
            vec![span("handler", leaves(&["parameters", "db", "serialize"])), span("overhead", vec![])],
        );
        let to = span("f", vec![span("handler", leaves(&["cache", "db", "db", "log"]))]);
        let mut outline = Outline::default();
        outline.add(&from);
        outline.add(&to);
        let rows: Vec<_> = outline.paths().iter().map(|path| words(path, "function")).collect();
        let expected = [
            "function",
            "handler",
            "handler > cache",
            "handler > parameters",
            "handler > db",
            "handler > db #2",
            "handler > log",
            "handler > serialize",
            "overhead",
        ];
        assert_eq!(rows, expected);
        assert_eq!(by_path(&from).len(), 6);
        assert!(by_path(&to).keys().all(|path| outline.paths().contains(path)));
    }
}
