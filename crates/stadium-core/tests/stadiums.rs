//! The rows: as many, as ordered and as plausible as the answer promises.

use std::collections::BTreeSet;

use stadium_core::{Stadium, stadiums_of_2020};

#[test]
fn thirty_two_teams_stand_in_the_same_order_whatever_the_collation() {
    let teams: Vec<_> = stadiums_of_2020().unwrap().into_iter().map(|stadium| stadium.team).collect();
    assert_eq!(teams.len(), 32);
    assert!(teams.is_sorted_by(|one, next| one < next), "by bytes: {teams:?}");

    // Linguistic collations ignore blanks and case at first: the rows must not depend on which one a database has.
    let letters: Vec<_> = teams.iter().map(|team| team.replace(' ', "").to_lowercase()).collect();
    assert!(letters.is_sorted_by(|one, next| one < next), "by letters: {letters:?}");
}

#[test]
fn a_shared_stadium_stands_once_for_each_of_its_teams() {
    let stadiums = stadiums_of_2020().unwrap();
    let names: BTreeSet<_> = stadiums.iter().map(|stadium| &stadium.name).collect();
    assert_eq!(names.len(), 30);

    for (name, teams) in [
        ("SoFi Stadium", ["Los Angeles Chargers", "Los Angeles Rams"]),
        ("MetLife Stadium", ["New York Giants", "New York Jets"]),
    ] {
        let rows: Vec<_> = stadiums.iter().filter(|stadium| stadium.name == name).collect();
        assert_eq!(rows.iter().map(|stadium| stadium.team.as_str()).collect::<Vec<_>>(), teams);
        assert_eq!(rows[0], &Stadium { team: rows[0].team.clone(), ..rows[1].clone() });
    }
}

#[test]
fn every_row_is_plausible() {
    for stadium in stadiums_of_2020().unwrap() {
        assert!(["Open", "Fixed", "Retractable"].contains(&stadium.roof.as_str()), "{stadium:?}");
        assert!(
            (61_500..=82_500).contains(&stadium.capacity),
            "Soldier Field to MetLife Stadium: {stadium:?}"
        );
        assert!((1924..=2020).contains(&stadium.year_opened), "Soldier Field to SoFi Stadium: {stadium:?}");
        assert_eq!(stadium.location.split(", ").filter(|part| !part.is_empty()).count(), 2, "{stadium:?}");
        for text in [&stadium.name, &stadium.surface, &stadium.team] {
            assert!(!text.is_empty() && text == text.trim(), "{stadium:?}");
        }
    }
}

#[test]
fn a_stadium_keeps_its_members_in_the_answers_order() {
    let cardinals = stadiums_of_2020().unwrap().remove(0);
    let json = concat!(
        r#"{"name":"State Farm Stadium","capacity":63400,"location":"Glendale, Arizona","#,
        r#""surface":"Bermuda grass","roof":"Retractable","team":"Arizona Cardinals","yearOpened":2006}"#,
    );
    assert_eq!(serde_json::to_string(&cardinals).unwrap(), json);
    assert_eq!(serde_json::from_str::<Stadium>(json).unwrap(), cardinals);
}
