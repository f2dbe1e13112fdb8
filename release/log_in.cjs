// Logs in with the installed package; prints the platform and the address.
const { PortierClient } = require("portier-client");
const { DevBroker } = require("portier-client/testing");

async function logIn() {
  const broker = new DevBroker();
  const client = new PortierClient({ redirectUri: "https://example.com/verify", broker: broker.origin });
  const login = await client.complete(broker.signIn(await client.authenticate("Alice@example.com")));
  broker.stop();
  return login.email;
}

logIn().then((email) => {
  const libc = process.report.getReport().header.glibcVersionRuntime === undefined ? "other" : "glibc";
  console.log(`Node ${process.version} ${process.platform}-${process.arch}-${libc}`, email);
});
