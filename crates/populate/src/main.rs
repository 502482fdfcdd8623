//! `populate`: creates the table and fills it with the stadiums.
//!
//! A function of its own so that schema and rows come from one place on AWS and in the lab. It takes the database's settings
//! from its environment, where the deployment resolves them, since it runs once and needs no Parameter Store client. Invariant:
//! the rows change in one transaction: a query sees all the old ones or waits for the new ones; running it again changes nothing.

mod settings;
mod table;

use database_login::{Login, Target};
use lambda_runtime::{Error, LambdaEvent, Runtime, service_fn};
use serde_json::Value;
use sqlx::{Connection, PgConnection};
use stadium_core::{DatabaseSettings, stadiums_of_2020};
use table::Report;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let telemetry = &telemetry::start();
    let login = &Login::from_env()?;
    let settings = &settings::from_env()?;
    let service = service_fn(|event: LambdaEvent<Value>| async move {
        telemetry.invocation(&event.context, populate(login, settings)).await
    });
    Runtime::new(service).layer(telemetry.after_response()).run().await
}

async fn populate(login: &Login, settings: &DatabaseSettings) -> Result<Report, Error> {
    let stadiums = stadiums_of_2020()?;
    let options = login.connect_options(&Target {
        host: &settings.host,
        port: settings.port,
        database: &settings.name,
        user: &settings.user,
    })?;
    let mut connection = PgConnection::connect_with(&options).await?;
    let report = table::fill(&mut connection, &stadiums).await?;
    connection.close().await?;
    tracing::info!(filled = report.filled, rows = report.rows, "populated");
    Ok(report)
}
