"""The response of a zone to a step against a matrix exponential, an integrator and the steady state."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from gridcheck.demand.households.thermal import Envelope, envelope_of, response
from gridcheck.demand.parameters import default_parameters
from gridcheck.errors import InputError

N = 40


def envelopes() -> Envelope:
    """Zones from a hut to a hall, from paper walls to a bunker."""
    rng = np.random.default_rng(7)

    def spread(low: float, high: float):
        return np.exp(rng.uniform(np.log(low), np.log(high), N))

    return Envelope(
        air_j_per_k=spread(1e5, 1e7),
        mass_j_per_k=spread(1e6, 1e8),
        inside_w_per_k=spread(50.0, 3000.0),
        air_loss_w_per_k=spread(5.0, 300.0),
        mass_loss_w_per_k=spread(5.0, 600.0),
        aperture_m2=spread(0.1, 10.0),
        gain_w=spread(10.0, 500.0),
    )


def matrices(e: Envelope, i: int):
    """A and B of (1) and (2) for outdoor temperature, sun, gain and heat."""
    a = np.array(
        [
            [-(e.inside_w_per_k[i] + e.air_loss_w_per_k[i]), e.inside_w_per_k[i]],
            [e.inside_w_per_k[i], -(e.inside_w_per_k[i] + e.mass_loss_w_per_k[i])],
        ]
    )
    half = e.aperture_m2[i] / 2.0
    b = np.array([[e.air_loss_w_per_k[i], half, e.gain_w[i], 1.0], [e.mass_loss_w_per_k[i], half, 0.0, 0.0]])
    capacity = np.array([[e.air_j_per_k[i]], [e.mass_j_per_k[i]]])
    return a / capacity, b / capacity


@pytest.mark.parametrize("step_s", [60.0, 900.0, 3600.0])
def test_a_step_is_the_exponential_of_the_matrix(step_s):
    zone = envelopes()
    step = response(zone, step_s)
    for i in range(N):
        a, b = matrices(zone, i)
        whole = np.zeros((6, 6))
        whole[:2, :2], whole[:2, 2:] = a, b
        exact = expm(whole * step_s)[:2]
        ours = np.array(
            [
                [step.aa[i], step.am[i], step.ao[i], step.a_sun[i], step.a_gain[i], step.a_heat[i]],
                [step.ma[i], step.mm[i], step.mo[i], step.m_sun[i], step.m_gain[i], step.m_heat[i]],
            ]
        )
        # The closed form divides by the distance of two eigenvalues: some digits are lost.
        np.testing.assert_allclose(ours, exact, rtol=1e-7, atol=1e-14)


def test_a_step_is_what_an_integrator_finds():
    zone, outdoor_c, sun, heat_w = envelopes(), -7.0, 320.0, 2500.0
    step = response(zone, 900.0)
    for i in range(0, N, 8):
        a, b = matrices(zone, i)
        u = np.array([outdoor_c, sun, 1.0, heat_w])
        found = solve_ivp(lambda _, x: a @ x + b @ u, (0.0, 900.0), [17.0, 14.0], rtol=1e-10, atol=1e-10)  # noqa: B023
        ours = (
            step.aa[i] * 17.0 + step.am[i] * 14.0 + step.ao[i] * outdoor_c + step.a_sun[i] * sun + step.a_gain[i]
            + step.a_heat[i] * heat_w,
            step.ma[i] * 17.0 + step.mm[i] * 14.0 + step.mo[i] * outdoor_c + step.m_sun[i] * sun + step.m_gain[i]
            + step.m_heat[i] * heat_w,
        )  # fmt: skip
        np.testing.assert_allclose(ours, found.y[:, -1], rtol=1e-7)


def test_a_zone_comes_to_rest_where_losses_equal_gains():
    zone, outdoor_c, heat_w = envelopes(), -9.0, 1800.0
    step = response(zone, 3600.0)
    air_c, mass_c = np.full(N, 15.0), np.full(N, 15.0)
    for _ in range(20_000):
        air_c, mass_c = (
            step.aa * air_c + step.am * mass_c + step.ao * outdoor_c + step.a_gain + step.a_heat * heat_w,
            step.ma * air_c + step.mm * mass_c + step.mo * outdoor_c + step.m_gain + step.m_heat * heat_w,
        )
    np.testing.assert_allclose(air_c, outdoor_c + (heat_w + zone.gain_w) / zone.loss_w_per_k(), rtol=1e-9)


def test_what_has_no_closed_form_is_refused():
    whole = envelopes()
    values = {name: getattr(whole, name) for name in whole.__dataclass_fields__}
    with pytest.raises(InputError, match="mass_j_per_k must be positive"):
        Envelope(**{**values, "mass_j_per_k": np.zeros(N)})


@pytest.mark.parametrize(
    ("area_m2", "loss", "said"),
    [
        (-58.0, 2.0, "zone 1: heated area -58 m2 must be a number above 0"),
        (0.0, 2.0, "zone 1: heated area 0 m2"),
        (float("nan"), 2.0, "zone 1: heated area nan m2"),
        (58.0, 0.0, "zone 1: heat loss 0 W/(K m2) must be above 0"),
        (58.0, 1000.0, "zone 1: heat loss 1000 W/(K m2)"),
    ],
)
def test_a_floor_that_cannot_be_is_refused_by_the_quantity_at_fault(area_m2, loss, said):
    capacity = np.full(2, 30.0)
    with pytest.raises(InputError) as caught:
        envelope_of(
            np.array([58.0, area_m2]),
            np.array([2.0, loss]),
            air=capacity,
            mass=capacity,
            house=default_parameters().house,
        )
    (finding,) = caught.value.findings
    assert finding.startswith(said)
