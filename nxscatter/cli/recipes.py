"""Recipes: list, show, schema."""

from typing import Annotated

import typer

from nxscatter.cli.app import app, command
from nxscatter.cli.output import echo_json, echo_table

group = typer.Typer(help="Built-in recipes, and the schema of all.", rich_markup_mode=None, no_args_is_help=True)
app.add_typer(group, name="recipe")


@command(group, "list")
def list_recipes() -> None:
    """List the built-in recipes."""
    from nxscatter.workflow.recipe_file import built_in, load_recipe

    echo_table(((name, load_recipe(name).description) for name in built_in()), ("name", "what it does"))


@command(group, "show")
def show_recipe(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Built-in recipe, or a TOML file.")],
) -> None:
    """Print a recipe as TOML, to save and change."""
    from nxscatter.workflow.recipe_file import load_recipe, write_recipe

    typer.echo(write_recipe(load_recipe(name)), nl=False)


@command(group, "schema")
def print_schema() -> None:
    """Print the JSON schema of recipes."""
    from nxscatter.workflow.schema import recipe_schema

    echo_json(recipe_schema())
