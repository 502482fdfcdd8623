//! The extension's process: reads the environment and runs until Lambda shuts the sandbox down.

use parameters_extension::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::read(|name| std::env::var(name).ok())?;
    Ok(parameters_extension::run(settings).await?)
}
