#!/usr/bin/env node
import { main as examine } from "./doctor.js";
import { native, version, type NativeBroker } from "./native.js";

const USAGE = `usage: portier-client broker [OPTION]...
       portier-client doctor [OPTION]...

  broker     run a broker on this machine, for development only
  doctor     find out why logins fail
  --version  print the version

A command with --help prints its options.
`;

const [command, ...rest] = process.argv.slice(2);
if (command === "doctor") {
  void examine(rest).then((status) => (process.exitCode = status));
} else if (command === "broker") {
  process.exitCode = broker(rest);
} else if (command === "--version") {
  process.stdout.write(`portier-client ${version}\n`);
} else if (command === "--help" || command === "-h") {
  process.stdout.write(USAGE);
} else {
  process.stderr.write(USAGE);
  process.exitCode = 2;
}

function broker(args: string[]): number {
  const started = native.runBrokerCommand(args);
  if (!("banner" in started)) {
    process.stdout.write(started.output);
    process.stderr.write(started.complaint);
    return started.status;
  }
  serve(started);
  return 0;
}

function serve(broker: NativeBroker): void {
  // The thread of the broker does not keep Node running; a timer does.
  const running = setInterval(() => {}, 2 ** 30);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      clearInterval(running);
      broker.stop();
    });
  }
  process.stdout.write(`${broker.banner}\nCtrl-C stops it.\n`);
}
