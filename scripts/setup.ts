#!/usr/bin/env node
/**
 * Makes `.venv` with the dbt and sqlfluff that `requirements.txt` names. Does nothing, in
 * milliseconds, where it is there already; begins again where an earlier attempt was interrupted.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const VENV = join(ROOT, '.venv');
const BIN = join(VENV, process.platform === 'win32' ? 'Scripts' : 'bin');
const STAMP = join(VENV, 'sprocket-requirements.sha256');
const REQUIREMENTS = join(ROOT, 'requirements.txt');
/** What dbt-core 1.11 runs on. */
const OLDEST = [3, 10];
const NEWEST = [3, 13];

function main(): number {
  const wanted = createHash('sha256').update(readFileSync(REQUIREMENTS)).digest('hex');
  if (isReady(wanted)) return 0;
  const python = findPython();
  if (python === null) {
    console.error(
      [
        `No usable Python found. dbt needs Python ${OLDEST.join('.')} to ${NEWEST.join('.')} with the venv module.`,
        '  Debian, Ubuntu: sudo apt-get install python3 python3-venv',
        '  macOS:          brew install python@3.13',
        'Or name one yourself: SPROCKET_PYTHON=/path/to/python3 node scripts/setup.ts',
      ].join('\n'),
    );
    return 1;
  }
  console.log(`Installing dbt and sqlfluff into .venv (once, about a minute; ${python}) …`);
  rmSync(VENV, { recursive: true, force: true });
  execFileSync(python, ['-m', 'venv', VENV], { stdio: 'inherit' });
  const installed = spawnSync(
    join(BIN, 'python'),
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS],
    { stdio: 'inherit' },
  );
  if (installed.status !== 0) {
    console.error(
      'pip could not install the packages above. Check the network (or PIP_INDEX_URL) and run: node scripts/setup.ts',
    );
    return 1;
  }
  writeFileSync(STAMP, wanted);
  return 0;
}

function isReady(wanted: string): boolean {
  return (
    existsSync(STAMP) && readFileSync(STAMP, 'utf8') === wanted && existsSync(join(BIN, 'dbt'))
  );
}

/** The first interpreter that dbt supports and that can make virtual environments. */
function findPython(): string | null {
  const named = process.env['SPROCKET_PYTHON'];
  const versions = ['3.13', '3.12', '3.11', '3.10'].map((version) => `python${version}`);
  const candidates = named === undefined ? ['python3', ...versions, 'python'] : [named];
  return candidates.find(isUsable) ?? null;
}

function isUsable(python: string): boolean {
  const probe = spawnSync(
    python,
    ['-c', 'import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1])'],
    { encoding: 'utf8' },
  );
  if (probe.status !== 0) return false;
  const [major = 0, minor = 0] = probe.stdout.trim().split(' ').map(Number);
  return major === OLDEST[0] && minor >= (OLDEST[1] ?? 0) && minor <= (NEWEST[1] ?? 0);
}

process.exitCode = main();
