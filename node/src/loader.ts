/** Loads the addon for this platform, or says what is missing. */
export function loadAddon(): unknown {
  const failures: unknown[] = [];
  const tried = targetsHere().flatMap((target) => [
    `./portier-client.${target}.node`,
    `portier-client-${target}`,
  ]);
  for (const name of tried) {
    try {
      return require(name);
    } catch (failure) {
      if (!isMissing(failure, name)) failures.push(failure);
    }
  }
  throw new Error(explanation(tried, failures), {
    cause: failures.length > 1 ? new AggregateError(failures) : failures[0],
  });
}

/** The names of builds that could run here, the likeliest first. */
function targetsHere(): string[] {
  const { arch, platform } = process;
  switch (platform) {
    case "linux":
      // Which C library there is shows when the addon is loaded; asking takes longer.
      return [`linux-${arch}-gnu`, `linux-${arch}-musl`];
    case "win32":
      return [`win32-${arch}-msvc`];
    default:
      return [`${platform}-${arch}`];
  }
}

function isMissing(failure: unknown, name: string): boolean {
  return (
    failure instanceof Error &&
    Reflect.get(failure, "code") === "MODULE_NOT_FOUND" &&
    failure.message.includes(name)
  );
}

function explanation(tried: string[], failures: unknown[]): string {
  if (failures.some(isNotAllowed)) {
    return (
      "portier-client is a native addon: run node without --no-addons, and with --allow-addons beside " +
      "--permission"
    );
  }
  const libc = libcHere();
  const platform = `platform=${process.platform}-${process.arch}`;
  const facts = [platform, ...(libc ? [`libc=${libc}`] : []), `tried=${tried.join(",")}`].join(" ");
  if (failures.length > 0) return `portier-client cannot load its native addon ${facts}`;
  const wanted = libc?.startsWith("musl") ? "-musl" : "";
  const install = tried.find((name) => !name.startsWith(".") && name.endsWith(wanted));
  return `portier-client has no native addon here: install ${install}, or build it from source ${facts}`;
}

function isNotAllowed(failure: unknown): boolean {
  return Reflect.get(Object(failure), "code") === "ERR_DLOPEN_DISABLED";
}

/** The C library, where there is a choice and the runtime knows. */
function libcHere(): string | undefined {
  if (process.platform !== "linux") return undefined;
  const { report } = process as { report?: NodeJS.ProcessReport & { excludeNetwork?: boolean } };
  const excluded = report?.excludeNetwork;
  try {
    // A report looks up the names of all hosts that there are connections to, unless it is told not to.
    if (report) report.excludeNetwork = true;
    const { header } = report?.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
    return header.glibcVersionRuntime === undefined ? "musl" : `glibc-${header.glibcVersionRuntime}`;
  } catch {
    return undefined;
  } finally {
    if (report && excluded !== undefined) report.excludeNetwork = excluded;
  }
}
