// Where nodes and edges of the flow stand: folded where there are many, ordered so that few lines cross.

const MOST = 20;
const FOLD_ORDER = [2, 3, 1, 4, 0, 5];
const SWEEPS = 8;
// Room for the outline of what has the focus.
const EDGE = 6;
const NODE = { height: 46, gap: 14 };
const BEND = { height: 10, gap: 8 };

/**
 * The nodes that are shown, each with its `members` (places in `shape.nodes`), and the edges between them, each with
 * its `parts` (places in `shape.edges`). Of a column of many only those in `marked` (ids) and those that most has
 * passed are shown, and one node for the rest, unless `open`.
 */
export function fold(shape, totals, marked, open) {
  const passed = shape.nodes.map(() => 0);
  const beside = shape.nodes.map(() => []);
  shape.edges.forEach(([from, to], place) => {
    for (const [one, other] of [[from, to], [to, from]]) {
      passed[one] += totals[place];
      beside[one].push(other);
    }
  });
  const shown = new Map();
  const nodes = [];
  const show = (node, members) => {
    nodes.push({ ...node, members });
    for (const member of members) shown.set(member, nodes.length - 1);
  };
  const kept = new Set();
  for (const column of FOLD_ORDER) {
    const places = shape.nodes.flatMap((node, place) => (node.column === column ? [place] : []));
    const score = (place) => (marked.has(shape.nodes[place].id) ? 2e15 : 0)
      + (beside[place].some((other) => kept.has(other)) ? 1e15 : 0) + passed[place];
    const few = open || places.length <= MOST;
    const first = few ? places : new Set(places.toSorted((one, other) => score(other) - score(one)).slice(0, MOST - 1));
    const rest = few ? [] : places.filter((place) => !first.has(place));
    for (const place of places.filter((each) => !rest.includes(each))) {
      kept.add(place);
      show(shape.nodes[place], [place]);
    }
    if (rest.length) show({ id: `more:${column}`, kind: "more", column, label: "", detail: "" }, rest);
  }
  const edges = new Map();
  shape.edges.forEach(([from, to], place) => {
    const key = `${shown.get(from)} ${shown.get(to)}`;
    if (!edges.has(key)) edges.set(key, { from: shown.get(from), to: shown.get(to), parts: [] });
    edges.get(key).parts.push(place);
  });
  return { nodes, edges: [...edges.values()] };
}

/**
 * The places of all in a picture that is `width` wide at least: `nodes` with x and y of their left upper corners,
 * `edges` with the points that they pass, `size` of a node, and the picture's `width` and `height`.
 */
export function place({ nodes, edges }, width) {
  const columns = [...new Set(nodes.map((node) => node.column))].sort((one, other) => one - other);
  const rows = columns.map(() => []);
  const points = nodes.map((node) => ({ level: columns.indexOf(node.column), last: node.kind === "more", before: [], after: [], ...NODE }));
  for (const point of points) rows[point.level].push(point);
  const ways = edges.map(({ from, to }) => bend(points[from], points[to], rows));
  const initial = new Map(points.map((point, number) => [point, number]));
  for (const row of rows) row.sort((one, other) => (initial.get(one) ?? 0) - (initial.get(other) ?? 0));
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) order(rows, sweep % 2 ? "after" : "before");
  const height = stack(rows);
  const size = sizes(width - 2 * EDGE, columns.length);
  const left = (point) => EDGE + point.level * (size.width + size.gap);
  return {
    nodes: points.map((point) => ({ x: left(point), y: point.y - NODE.height / 2 })),
    edges: ways.map((way) => way.map((point, number) => ({
      x: left(point) + (number === 0 ? size.width : 0), y: point.y, through: number > 0 && number < way.length - 1 ? size.width : 0,
    }))),
    size: { width: size.width, height: NODE.height },
    width: columns.length * (size.width + size.gap) - size.gap + 2 * EDGE,
    height,
  };
}

/** Positions near the `wanted` ones, in the same order and at least `apart(number)` behind the one before. */
export function settle(wanted, apart) {
  // Isotonic regression by pooling adjacent violators, once the distances are taken off.
  let offset = 0;
  const offsets = wanted.map((_, number) => (offset += number ? apart(number) : 0));
  const pools = [];
  wanted.forEach((value, number) => {
    pools.push({ sum: value - offsets[number], count: 1 });
    while (pools.length > 1 && mean(pools.at(-2)) > mean(pools.at(-1))) {
      const last = pools.pop();
      pools.at(-1).sum += last.sum;
      pools.at(-1).count += last.count;
    }
  });
  return pools.flatMap((pool) => Array(pool.count).fill(mean(pool))).map((value, number) => value + offsets[number]);
}

const mean = ({ sum, count }) => sum / count;

// An edge over several columns has a point in each of them, which takes its place among the nodes.
function bend(from, to, rows) {
  const way = [from];
  for (let level = from.level + 1; level < to.level; level += 1) {
    const point = { level, before: [], after: [], ...BEND };
    rows[level].push(point);
    way.push(point);
  }
  way.push(to);
  for (let number = 1; number < way.length; number += 1) {
    way[number - 1].after.push(way[number]);
    way[number].before.push(way[number - 1]);
  }
  return way;
}

// Barycentre (Sugiyama, Tagawa, Toda 1981): each stands where those beside it stand on average.
function order(rows, side) {
  for (const row of side === "before" ? rows : rows.toReversed()) {
    row.forEach((point, rank) => (point.rank = rank));
    const score = new Map(row.map((point) => [point, centre(point[side].map((each) => each.rank), point.rank)]));
    row.sort((one, other) => Boolean(one.last) - Boolean(other.last) || score.get(one) - score.get(other));
    row.forEach((point, rank) => (point.rank = rank));
  }
}

function centre(values, otherwise) {
  return values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : otherwise;
}

function stack(rows) {
  for (const row of rows) row.forEach((point, number) => (point.y = number * (NODE.height + NODE.gap)));
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const side = sweep % 2 ? "after" : "before";
    for (const row of sweep % 2 ? rows.toReversed() : rows) {
      const wanted = row.map((point) => centre(point[side].map((each) => each.y), point.y));
      const apart = (number) => (row[number - 1].height + row[number].height) / 2 + Math.max(row[number - 1].gap, row[number].gap);
      settle(wanted, apart).forEach((y, number) => (row[number].y = y));
    }
  }
  const all = rows.flat();
  const top = Math.min(...all.map((point) => point.y - point.height / 2)) - EDGE;
  for (const point of all) point.y -= top;
  return Math.max(...all.map((point) => point.y + point.height / 2)) + EDGE;
}

function sizes(width, count) {
  const node = Math.max(116, Math.min(230, (width / count) * 0.66));
  const gap = count > 1 ? Math.max(56, Math.min(190, (width - count * node) / (count - 1))) : 0;
  return { width: node, gap };
}
