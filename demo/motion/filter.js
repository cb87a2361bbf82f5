// The one-euro filter (Casiez et al., CHI 2012) as in hmnet/video/smoothing.py: on points, x y z each.
//
// Gradio runs these files as one, once, with `element`, `props`, `watch`, `trigger` and `server`.
const TWO_PI = 2 * Math.PI;
const shareOf = (cutoff, step) => 1 / (1 + 1 / (TWO_PI * cutoff * step));

// A filter of values that lie `width` by `width`, as coordinates of points do.
const oneEuro = ([minCutoff, beta, dCutoff], width) => {
  let [time, value, speed] = [0, null, null];
  return {
    reset: () => { value = null; },
    // metre: how many of the values' units are a metre.
    next: (fresh, seconds, metre = 1) => {
      if (!value || value.length !== fresh.length) {
        [time, value, speed] = [seconds, Float64Array.from(fresh), new Float64Array(fresh.length)];
        return value;
      }
      const step = seconds - time;
      if (step <= 0) return value;
      const dShare = shareOf(dCutoff, step);
      const moved = new Float64Array(fresh.length);
      for (let at = 0; at < fresh.length; at += width) {
        let square = 0;
        for (let axis = at; axis < at + width; axis++) {
          speed[axis] += dShare * ((fresh[axis] - value[axis]) / (step * metre) - speed[axis]);
          square += speed[axis] ** 2;
        }
        const share = shareOf(minCutoff + beta * Math.sqrt(square), step);
        for (let axis = at; axis < at + width; axis++) moved[axis] = value[axis] + share * (fresh[axis] - value[axis]);
      }
      [time, value] = [seconds, moved];
      return value;
    },
  };
};

// Smooths one person's raw meshes and cameras, given in their order.
const makeSmoother = (numbers) => {
  const [body, place, scale] = [oneEuro(numbers, 3), oneEuro(numbers, 2), oneEuro(numbers, 1)];
  return {
    reset: () => [body, place, scale].forEach((one) => one.reset()),
    next: (points, [s, tx, ty], seconds) => {
      const smooth = Math.exp(scale.next([Math.log(s)], seconds)[0]);
      const [x, y] = place.next([s * tx, s * ty], seconds, smooth);
      return { points: Float32Array.from(body.next(points, seconds)), camera: [smooth, x / smooth, y / smooth] };
    },
  };
};
